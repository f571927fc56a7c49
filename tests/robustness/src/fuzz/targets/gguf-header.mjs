import { decodedGgmlTypes, dequantize, ggmlTypes, layoutGguf, parseGgufHeader } from '@mk/gguf'
import { ggufBytes, ggufStart, u32, u64, u8 } from '../../gguf-bytes.mjs'
import { promise } from '../broken-promise.mjs'
import { mutateBytes } from '../mutate-bytes.mjs'

const valueTypeCount = 13
const typeIds = Object.values(ggmlTypes).map(({ id }) => id)
/** Numbers where limits and overflows are. */
const edges = [0n, 1n, 8n, 31n, 32n, 2n ** 16n, 2n ** 24n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]

/** Headers of GGUF files: tensors lie aligned inside of the file and apart from each other, and what is read is written alike. */
export const ggufHeader = {
  name: 'gguf-header',
  extension: 'gguf',
  async open() {
    return {
      make(random) {
        const fields = fieldsOf(random)
        switch (random.pick(['whole', 'field', 'field', 'field', 'bytes', 'cut'])) {
          case 'field':
            return ggufBytes(fields.with(random.below(fields.length), edgeField(random)))
          case 'bytes':
            return mutateBytes(random, ggufBytes(fields))
          case 'cut':
            return ggufBytes(fields.slice(0, random.below(fields.length)))
          default:
            return ggufBytes(fields)
        }
      },
      check(bytes) {
        const first = parseGgufHeader(bytes.subarray(0, Math.min(bytes.length, 64)), bytes.length)
        const parsed = parseGgufHeader(bytes, bytes.length)
        promise(parsed !== undefined, 'all of the file is not enough')
        promise(first === undefined || isSame(first, parsed), 'a header is another one before its end')
        checkPlaces(parsed, bytes.length)
        for (const { type, byteStart, byteEnd } of parsed.tensors)
          checkDecoding(type, bytes.subarray(byteStart, byteEnd))
        const { header, fileBytes, tensors } = layoutGguf(parsed.metadata, parsed.tensors)
        const again = parseGgufHeader(header, fileBytes)
        promise(isSame(again.tensors, tensors), 'tensors are not read as they are written')
        promise(isSame([...again.metadata], [...parsed.metadata]), 'metadata is not read as it is written')
      },
    }
  },
}

/** A whole file, but perhaps for twice the same name or shapes that are no blocks. */
function fieldsOf(random) {
  const names = ['general.architecture', 'a', 'b', 'ключ', 'tokenizer.ggml.tokens', '']
  const keys = names.slice(0, random.below(names.length + 1))
  const alignment = random.chance(0.3) ? [['general.alignment', u32(4), u32(2 ** random.below(18))]] : []
  const entries = [...keys.map((key) => [key, ...valueOf(random, 0)]), ...alignment]
  const tensors = Array.from({ length: random.below(4) }, (_, index) => [
    random.chance(0.05) ? 'w' : `blk.${index}.w`,
    ...tensorOf(random),
  ])
  const data = Buffer.alloc(random.pick([0, 64, 4096, 65_536]), 0x3c)
  return [
    ...ggufStart(tensors.length, entries.length, random.chance(0.05) ? 2 : 3),
    ...entries.flat(),
    ...tensors.flat(),
    data,
  ]
}

function valueOf(random, depth) {
  const type = depth > 9 ? 0 : random.below(valueTypeCount)
  return [u32(type), ...(type === 9 ? arrayOf(random, depth + 1) : scalarOf(random, type))]
}

function arrayOf(random, depth) {
  const type = depth > 9 ? 0 : random.chance(0.2) ? 9 : random.below(valueTypeCount)
  const count = random.pick([0, 1, 2, 5])
  const items = Array.from({ length: count }, () => (type === 9 ? arrayOf(random, depth + 1) : scalarOf(random, type)))
  return [u32(type), u64(count), ...items.flat()]
}

function scalarOf(random, type) {
  const bytes = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 10: 8, 11: 8, 12: 8 }[type]
  if (bytes !== undefined) return [Buffer.from(Array.from({ length: bytes }, () => random.below(256)))]
  if (type === 7) return [u8(random.chance(0.95) ? random.below(2) : 2)]
  return [random.pick(['', 'llama', '\u{1f600}', 'x'.repeat(300)])]
}

function tensorOf(random) {
  const dimensions = random.below(4)
  const shape = Array.from({ length: dimensions }, (_, index) =>
    u64(index === 0 ? 32 * random.below(9) : random.below(4)),
  )
  const id = random.chance(0.8) ? random.pick(typeIds) : random.below(50)
  return [u32(dimensions), ...shape, u32(id), u64(random.pick([0, 0, 32, 4096, 16_384]))]
}

const edgeField = (random) =>
  random.pick([u64(random.pick(edges)), u32(Number(random.pick(edges) & 0xffffffffn)), u8(255)])

function checkPlaces({ tensors, alignment, headerBytes }, fileBytes) {
  let end = headerBytes
  for (const { byteStart, byteEnd } of tensors.toSorted((a, b) => a.byteStart - b.byteStart || a.byteEnd - b.byteEnd)) {
    promise(byteStart >= end && byteEnd >= byteStart && byteEnd <= fileBytes, 'tensors overlap or leave the file')
    promise(byteStart % alignment === 0, 'a tensor is not aligned')
    end = byteEnd
  }
  promise(new Set(tensors.map(({ name }) => name)).size === tensors.length, 'a name occurs twice')
}

function checkDecoding(type, blocks) {
  if (!decodedGgmlTypes.includes(type)) return
  const { blockElements, blockBytes } = ggmlTypes[type]
  dequantize(type, blocks, new Float32Array((blocks.length / blockBytes) * blockElements))
}

/** Also of bigints and numbers that JSON has not. */
const isSame = (a, b) => textOf(a) === textOf(b)
const textOf = (value) =>
  JSON.stringify(value, (_, part) =>
    ArrayBuffer.isView(part)
      ? [...new Uint8Array(part.buffer, part.byteOffset, part.byteLength)]
      : typeof part === 'bigint' || typeof part === 'number'
        ? String(part)
        : part,
  )
