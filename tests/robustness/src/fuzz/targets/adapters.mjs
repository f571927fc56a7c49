import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCheckpoint } from '@mk/checkpoint'
import { headerBytes } from '../../write-checkpoint.mjs'
import { copyModel, modelFolder, replaceFile, splitSafetensors, withData } from '../golden-models.mjs'
import { mutateJson, stringify } from '../mutate-json.mjs'

/** Adapters: adapter_config.json and the header of the weights. */
export const adapters = {
  name: 'adapters',
  extension: 'json',
  async open({ folder: work }) {
    const folder = copyModel('lora-qvd', join(work, 'lora'))
    const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'))
    const base = { ...config, alpha_pattern: { '.*v_proj': 3, '^model.layers.0.*': 8 } }
    const weights = readFileSync(join(folder, 'adapter_model.safetensors'))
    const { header, dataBytes } = splitSafetensors(weights)
    return {
      make: (random) =>
        JSON.stringify({
          config: stringify(mutateJson(random, base)),
          ...(random.chance(0.3) && { header: stringify(mutateJson(random, header)) }),
        }),
      async check(bytes) {
        const changed = JSON.parse(bytes.toString())
        replaceFile(folder, 'adapter_config.json', changed.config)
        const content = changed.header === undefined ? weights : withData(headerBytes(changed.header), dataBytes)
        replaceFile(folder, 'adapter_model.safetensors', content)
        await openCheckpoint({ path: modelFolder('llama-base'), adapters: [{ path: folder }] }, { roots: [work] })
      },
    }
  },
}
