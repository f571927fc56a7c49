import { elementCount } from '@mk/safetensors'
import type { PackedSource, TensorSource } from '@mk/source'
import type { Layout } from './layout.ts'

const bitsName = /^(?<stem>.+)\.mask_bits$/

/** Tells whether a file has masks of a task, which no other scheme and no config names. */
export const hasTaskMasks = (tensors: ReadonlyMap<string, TensorSource>): boolean =>
  [...tensors.keys()].some((name) => bitsName.test(name))

/** Masks as mk-emr writes them: a bit for each element, eight a byte from the low end on, times one factor. */
export const taskMask: Layout = {
  stemOf: (name) => bitsName.exec(name)?.groups?.['stem'],
  async open(parts) {
    const words = parts.need('.mask_bits', { dtypes: ['U8'] })
    parts.need('.mask_shape', { dtypes: ['I64'] })
    const sizes = new BigInt64Array(Uint8Array.from(await parts.peek('.mask_shape')).buffer)
    const shape = [...sizes].map(Number)
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0))
      return parts.misfit('.mask_shape', 'the sizes of a tensor')
    const count = elementCount(shape)
    if (words.shape.length !== 1 || words.shape[0] !== Math.ceil(count / 8))
      return parts.misfit('.mask_bits', `${Math.ceil(count / 8)} bytes for the shape [${shape.join(', ')}]`)
    const scale = parts.need('.mask_factor', { dtypes: ['F32'], shape: [1] })
    const source: PackedSource = {
      kind: 'packed',
      dtype: 'F32',
      shape: [count],
      words,
      bits: 1,
      along: 'columns',
      values: { kind: 'integers', offset: 0 },
    }
    return {
      name: parts.stem,
      source: {
        kind: 'dequantized',
        dtype: 'F32',
        shape,
        source,
        scale,
        blockRows: 1,
        blockColumns: Math.max(count, 1),
      },
    }
  },
}
