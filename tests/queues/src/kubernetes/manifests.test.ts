import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { readManifests } from './read-manifests.mjs'

const schema = JSON.parse(readFileSync(new URL('kubernetes-1.37.schema.json', import.meta.url), 'utf8')) as {
  $defs: object
}
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true, inlineRefs: false }).addSchema(
  schema,
  'kubernetes',
)
const manifests = readManifests() as {
  file: string
  object: { kind: string; metadata: { name: string }; spec: Record<string, unknown> }
}[]
const definitions = {
  Job: 'io.k8s.api.batch.v1.Job',
  ConfigMap: 'io.k8s.api.core.v1.ConfigMap',
  PersistentVolumeClaim: 'io.k8s.api.core.v1.PersistentVolumeClaim',
} as Readonly<Record<string, string>>

/** What an object breaks of the schema of its kind. */
function problemsOf(object: { readonly kind: string }): readonly string[] {
  const validate = ajv.getSchema(`kubernetes#/$defs/${definitions[object.kind]}`)!
  validate(object)
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

describe('the manifests of examples/kubernetes', () => {
  it.each(manifests.map(({ file, object }) => [`${object.kind} ${object.metadata.name}`, file, object] as const))(
    '%s of %s is as the schema of Kubernetes has it',
    (_, __, object) => expect(problemsOf(object)).toEqual([]),
  )

  it('would be refused with a key that there is none of, or a value of another type', () => {
    const parts = manifests.find(({ object }) => object.metadata.name === 'mk-parts')!.object
    const wrong = { ...parts, spec: { ...parts.spec, backoffLimitPerIndexx: 3, completions: '16' } }
    expect(problemsOf(wrong).toSorted()).toEqual([
      '/spec must NOT have additional properties',
      '/spec/completions must be integer,null',
    ])
  })

  it('are of jobs that end at status 2, try again at others, and leave disruptions out of the count', () => {
    const jobs = manifests.filter(({ object }) => object.kind === 'Job').map(({ object }) => object.spec)
    expect(jobs).toHaveLength(3)
    for (const spec of jobs)
      expect(spec).toMatchObject({
        podFailurePolicy: {
          rules: [
            { action: 'FailJob', onExitCodes: { containerName: 'mk', operator: 'In', values: [2] } },
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          ],
        },
        template: { spec: { restartPolicy: 'Never', containers: [{ name: 'mk' }] } },
      })
    const parts = jobs.find((spec) => spec['completionMode'] === 'Indexed')!
    expect(parts).toMatchObject({ backoffLimitPerIndex: 3, parallelism: expect.any(Number) })
    expect(JSON.stringify(parts)).toContain(`/${String(parts['completions'])}\\" --threads`)
  })
})
