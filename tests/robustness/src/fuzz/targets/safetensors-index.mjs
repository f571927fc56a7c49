import { isAbsolute, relative, resolve } from 'node:path'
import { formatIndex, parseIndex } from '@mk/safetensors'
import { promise } from '../broken-promise.mjs'
import { modelJson } from '../golden-models.mjs'
import { mutateDocument } from '../mutate-json.mjs'
import { mutateText } from '../mutate-text.mjs'

/** Indexes of shards: no file that one names is outside of the folder. */
export const safetensorsIndex = {
  name: 'safetensors-index',
  extension: 'json',
  async open() {
    const base = modelJson('llama16-base', 'model.safetensors.index.json')
    return {
      make: (random) => mutateDocument(random, base, mutateText),
      check(bytes) {
        const { weightMap, metadata } = parseIndex(bytes.toString())
        for (const path of weightMap.values()) {
          const isInside = !/^\.\.(\/|$)/.test(relative('/model', resolve('/model', path))) && !isAbsolute(path)
          promise(isInside && !path.includes('\0'), 'a shard lies outside of the folder')
        }
        formatIndex(weightMap, metadata)
      },
    }
  },
}
