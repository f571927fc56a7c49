import { parseHeader, readHeaderLength } from '@mk/safetensors'
import { headerBytes } from '../../write-checkpoint.mjs'
import { promise } from '../broken-promise.mjs'
import { modelFile, splitSafetensors, withData } from '../golden-models.mjs'
import { mutateBytes } from '../mutate-bytes.mjs'
import { mutateJson, stringify } from '../mutate-json.mjs'
import { mutateText } from '../mutate-text.mjs'

/** Headers of safetensors files: what is accepted covers the file, without a gap. */
export const safetensorsHeader = {
  name: 'safetensors-header',
  extension: 'safetensors',
  async open() {
    const files = ['llama-base', 'gpt2-base', 'mixtral-base', 'bert-base'].map((name) =>
      modelFile(name, 'model.safetensors'),
    )
    const bases = files.map((bytes) => ({ bytes, ...splitSafetensors(bytes) }))
    return {
      make(random) {
        const { bytes, header, dataBytes } = random.pick(bases)
        const names = Object.keys(header).slice(0, 1 + random.below(Object.keys(header).length))
        const few = Object.fromEntries(names.map((name) => [name, header[name]]))
        const end = Math.max(...Object.values(few).map((entry) => entry.data_offsets?.[1] ?? 0))
        switch (random.pick(['few', 'all', 'length', 'text', 'bytes'])) {
          case 'few':
            return withData(headerBytes(stringify(mutateJson(random, few))), end)
          case 'all':
            return withData(headerBytes(stringify(mutateJson(random, header))), dataBytes)
          case 'length':
            return withData(headerBytes(stringify(few)), end + random.pick([-1, 0, 1, 8]))
          case 'text':
            return withData(headerBytes(mutateText(random, stringify(header))), dataBytes)
          default:
            return withData(
              mutateBytes(random, bytes.subarray(0, 400 + random.below(2000))),
              random.pick([0, bytes.length]),
            )
        }
      },
      check(bytes) {
        readHeaderLength(bytes, bytes.length)
        const parsed = parseHeader(bytes, bytes.length)
        let covered = parsed.headerBytes
        for (const { byteStart, byteEnd } of parsed.tensors) {
          promise(
            byteStart === covered && byteEnd >= byteStart && byteEnd <= bytes.length,
            'tensors do not follow each other',
          )
          covered = byteEnd
        }
        promise(covered === bytes.length, 'the data goes on after the last tensor')
      },
    }
  },
}
