import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { prepareMerge } from '@mk/merge'
import { createPlanFile, listParts, readPlanFile, writePlanFile } from '@mk/merge/parts'
import { promise } from '../broken-promise.mjs'
import { modelFolder } from '../golden-models.mjs'
import { mutateJson, stringify } from '../mutate-json.mjs'
import { mutateText } from '../mutate-text.mjs'

const recipe = () => `name: inner
merge_method: ties
base_model: ${modelFolder('llama-base')}
models: [{model: ${modelFolder('llama-ft1')}}]
parameters: {weight: 1, density: 0.5}
---
merge_method: linear
models: [{model: inner}, {model: ${modelFolder('llama-ft2')}}]
parameters: {weight: 1}
tokenizer_source: union
`

/** Plan files, also such as have a checksum that fits: what is read names no file outside of the output, and can be divided. */
export const planFiles = {
  name: 'plan-files',
  extension: 'json',
  async open({ folder }) {
    const file = join(folder, 'plan.json')
    const { plan } = await prepareMerge({ text: recipe() })
    await writePlanFile(file, await createPlanFile(plan))
    const text = readFileSync(file, 'utf8')
    const { format, version, id: _, madeAt, ...body } = JSON.parse(text)
    return {
      make(random) {
        if (random.chance(0.3)) return mutateText(random, text)
        const changed = stringify(mutateJson(random, body))
        const id = createHash('sha256')
          .update(JSON.stringify(JSON.parse(changed)))
          .digest('hex')
        return `${JSON.stringify({ format, version, id, madeAt }).slice(0, -1)},${changed.trim().slice(1)}`
      },
      async check(bytes) {
        writeFileSync(file, bytes)
        const read = await readPlanFile(file)
        for (const { name } of [...read.plan.files, ...read.plan.documents, ...read.plan.copies]) {
          const path = relative('/out', join('/out', name))
          promise(path !== '' && !path.startsWith('..') && !isAbsolute(name), `${name} is a file of the output`)
        }
        await listParts(read, 3)
      },
    }
  },
}
