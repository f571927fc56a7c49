import type { Dtype } from '@mk/safetensors'
import { describe, expect, it } from 'vitest'
import { cropSource } from './crop-source.ts'
import { useReader } from './read/__fixtures__/use-reader.ts'
import type { GatherSource, TensorSource } from './tensor-source.ts'
import { withUnroundedRows } from './unrounded-rows.ts'

const using = useReader()
const { tensor, read } = using

const gather = (dtype: Dtype, sources: TensorSource[], segments: GatherSource['segments']): GatherSource => ({
  kind: 'gather',
  dtype,
  shape: [segments.reduce((rows, { rowCount }) => rows + rowCount, 0), 2],
  sources,
  segments,
})
const copy = { kind: 'copy', source: 0, row: 0, rowCount: 2 } as const
const meanOf = (...rows: readonly number[]) =>
  ({ kind: 'mean', rowCount: 1, of: rows.map((row) => ({ source: 0, row })) }) as const

describe('withUnroundedRows', () => {
  it.each(['BF16', 'F16'] as const)('delivers means of %s as they are in float32', (dtype) => {
    const rows = [1, 2, 1 + 2 ** -7, 3]
    const source = gather(
      dtype,
      [tensor(dtype, [2, 2], rows)],
      [copy, meanOf(0, 1), { kind: 'mean-of-others', rowCount: 1 }],
    )
    const unrounded = withUnroundedRows(source)
    expect(unrounded.dtype).toBe('F32')
    expect(read(unrounded)).toEqual([...rows, 1 + 2 ** -8, 2.5, 1 + 2 ** -8, 2.5])
    expect(read(withUnroundedRows(cropSource(source, [4, 1])))).toEqual([1, 1 + 2 ** -7, 1 + 2 ** -8, 1 + 2 ** -8])
  })

  it('delivers rows of a wider dtype as they are', () => {
    const wide = tensor('F32', [1, 2], [1 + 2 ** -20, -3])
    const source = gather(
      'BF16',
      [tensor('BF16', [2, 2], [1, 2, 3, 4]), wide],
      [copy, { ...copy, source: 1, rowCount: 1 }],
    )
    expect(read(withUnroundedRows(source))).toEqual([1, 2, 3, 4, 1 + 2 ** -20, -3])
    const aligned = new Float32Array(5)
    using.reader.read(withUnroundedRows(source), 1, 5, new Uint8Array(aligned.buffer))
    expect([...aligned]).toEqual([2, 3, 4, 1 + 2 ** -20, -3])
  })

  it('leaves alone what rounds nothing', () => {
    const bf16 = tensor('BF16', [2, 2], [1, 2, 3, 4])
    for (const source of [
      bf16,
      cropSource(bf16, [1, 2]),
      gather('BF16', [bf16], [copy, meanOf(1), { kind: 'zero', rowCount: 1 }]),
      gather('F32', [bf16], [copy, meanOf(0, 1)]),
      gather('F64', [bf16], [copy, meanOf(0, 1)]),
    ])
      expect(withUnroundedRows(source)).toBe(source)
  })

  it('looks at each segment by itself', () => {
    const [narrow, wide] = [tensor('BF16', [2, 2], [1, 2, 3, 4]), tensor('F32', [2, 2], [1, 2, 3, 4])]
    const rounds = (...segments: GatherSource['segments']) =>
      withUnroundedRows(gather('BF16', [narrow, wide], segments)).dtype === 'F32'
    const zero = { kind: 'zero', rowCount: 1 } as const
    const others = { kind: 'mean-of-others', rowCount: 1 } as const
    const meanIn = (...sources: readonly number[]) =>
      ({ kind: 'mean', rowCount: 1, of: sources.map((source) => ({ source, row: 0 })) }) as const
    expect([rounds(zero), rounds(copy), rounds({ ...copy, source: 1 })]).toEqual([false, false, true])
    expect([rounds(others), rounds(meanIn(0)), rounds(meanIn(1)), rounds(meanIn(0, 0))]).toEqual([
      true,
      false,
      true,
      true,
    ])
    expect([rounds(copy, zero), rounds(zero, others)]).toEqual([false, true])
  })

  it('keeps a crop of what it keeps, and has the dtype of what it changes', () => {
    const source = gather('F16', [tensor('F16', [2, 2], [1, 2, 3, 4])], [meanOf(0, 1)])
    const cropped = cropSource(source, [1, 1])
    expect(withUnroundedRows(cropped)).toEqual({ ...cropped, dtype: 'F32', source: { ...source, dtype: 'F32' } })
  })

  it.each(['lora', 'blocks', 'halves', 'packed', 'dequantized', 'merged', 'values', 'strided'])(
    'leaves %s alone',
    (kind) => {
      const source = { kind, dtype: 'BF16', shape: [2, 2] } as unknown as TensorSource
      expect(withUnroundedRows(source)).toBe(source)
    },
  )
})
