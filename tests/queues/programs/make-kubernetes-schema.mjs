// Takes what the manifests need out of the schemas of Kubernetes 1.37, without the descriptions:
//   pip download --no-deps kubernetes-validate==1.37.0 && unzip kubernetes_validate-1.37.0-py3-none-any.whl -d FOLDER
//   node programs/make-kubernetes-schema.mjs FOLDER/kubernetes_validate/kubernetes-json-schema/v1.37.0-local-strict
// They are made from the OpenAPI document that Kubernetes publishes (Apache-2.0, The Kubernetes Authors), and know no other keys.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder] = process.argv.slice(2)
const file = new URL('../src/kubernetes/kubernetes-1.37.schema.json', import.meta.url)
const { $defs: definitions } = JSON.parse(readFileSync(join(folder, '_definitions.json'), 'utf8'))
const kinds = {
  Job: 'io.k8s.api.batch.v1.Job',
  ConfigMap: 'io.k8s.api.core.v1.ConfigMap',
  PersistentVolumeClaim: 'io.k8s.api.core.v1.PersistentVolumeClaim',
}

const taken = {}
for (const names = Object.values(kinds); names.length > 0;) {
  const name = names.pop()
  if (name in taken) continue
  taken[name] = withoutTexts(definitions[name], (reference) => names.push(reference.split('/').at(-1)))
}
const schema = {
  $comment:
    'Of Kubernetes 1.37, by way of kubernetes-validate 1.37.0; Apache-2.0, The Kubernetes Authors. Written by programs/make-kubernetes-schema.mjs.',
  oneOf: Object.values(kinds).map((name) => ({ $ref: `#/$defs/${name}` })),
  $defs: Object.fromEntries(Object.entries(taken).toSorted(([a], [b]) => (a < b ? -1 : 1))),
}
writeFileSync(file, `${JSON.stringify(schema)}\n`)

/** Keys of `properties` are names, which may be called as what is left out. */
function withoutTexts(value, onReference, areNames = false) {
  if (Array.isArray(value)) return value.map((each) => withoutTexts(each, onReference))
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([key]) => areNames || (key !== 'description' && !key.startsWith('x-')))
  for (const [key, each] of kept) if (!areNames && key === '$ref') onReference(each)
  return Object.fromEntries(
    kept.map(([key, each]) => [key, withoutTexts(each, onReference, !areNames && key === 'properties')]),
  )
}
