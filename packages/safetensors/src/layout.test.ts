import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dtypeBytes, dtypes, elementCount } from './dtype.ts'
import { parseHeader } from './header.ts'
import { layoutFile } from './layout.ts'

const code = (value: string) => expect.objectContaining({ code: value })

describe('layoutFile', () => {
  it('is read back by parseHeader, whatever the names, dtypes and shapes', () => {
    const tensor = fc.record({
      name: fc.string({ unit: 'binary' }).filter((name) => name !== '__metadata__'),
      dtype: fc.constantFrom(...dtypes),
      shape: fc.array(fc.nat(5), { maxLength: 4 }),
    })
    const metadata = fc.dictionary(fc.string(), fc.string())
    fc.assert(
      fc.property(fc.uniqueArray(tensor, { selector: ({ name }) => name }), metadata, (tensors, meta) => {
        const layout = layoutFile(tensors, meta)
        const file = new Uint8Array(layout.fileBytes)
        file.set(layout.header)
        const parsed = parseHeader(file, file.length)
        expect(parsed.headerBytes).toBe(layout.header.length)
        expect({ ...parsed.metadata }).toEqual({ ...meta })
        const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
        expect(parsed.tensors.toSorted(byName)).toEqual(layout.tensors.toSorted(byName))
      }),
    )
  })

  it('pads the header so that the data starts at a multiple of 8', () => {
    for (const name of ['a', 'ab', 'abc', 'ä'])
      expect(layoutFile([{ name, dtype: 'U8', shape: [] }]).header.length % 8).toBe(0)
  })

  it('writes metadata first, and nothing of it where there is none', () => {
    const textOf = (...given: Parameters<typeof layoutFile>) =>
      new TextDecoder().decode(layoutFile(...given).header.subarray(8)).trimEnd()
    const a = { name: 'a', dtype: 'U8', shape: [2] } as const
    const entry = '"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}'
    expect(textOf([a])).toBe(`{${entry}}`)
    expect(textOf([a], { format: 'pt' })).toBe(`{"__metadata__":{"format":"pt"},${entry}}`)
    expect(textOf([])).toBe('{}')
  })

  it('keeps the order given and leaves no holes', () => {
    const { tensors, header, fileBytes } = layoutFile([
      { name: 'b', dtype: 'BF16', shape: [3] },
      { name: 'a', dtype: 'F32', shape: [2, 2] },
    ])
    expect(
      tensors.map(({ name, byteStart, byteEnd }) => [name, byteStart - header.length, byteEnd - header.length]),
    ).toEqual([
      ['b', 0, 6],
      ['a', 6, 22],
    ])
    expect(fileBytes).toBe(header.length + 22)
  })

  it('rejects what could not be read back', () => {
    const a = { name: 'a', dtype: 'F32', shape: [1] } as const
    expect(() => layoutFile([a, a])).toThrow(code('duplicate-key'))
    expect(() => layoutFile([{ ...a, name: '__metadata__' }])).toThrow(code('reserved-name'))
    expect(() => layoutFile([{ ...a, shape: [-1] }])).toThrow(code('bad-shape'))
    expect(() => layoutFile([{ ...a, shape: [2 ** 30, 2 ** 30] }])).toThrow(code('shape-overflow'))
    const half = (name: string) => ({ name, dtype: 'U8', shape: [2 ** 52] }) as const
    expect(layoutFile([half('a')]).tensors).toHaveLength(1)
    expect(() => layoutFile([half('a'), half('b')])).toThrow(code('shape-overflow'))
    expect(() => layoutFile([{ ...a, name: 'x'.repeat(100_000_000) }])).toThrow(code('header-too-long'))
  })
})

describe('elementCount and dtypeBytes', () => {
  it('give 1 element for a scalar and 0 for an empty shape', () => {
    expect([elementCount([]), elementCount([0, 7]), elementCount([2, 3])]).toEqual([1, 0, 6])
  })

  it('know every dtype', () => {
    expect(dtypes.map(dtypeBytes)).toEqual([8, 4, 2, 2, 1, 1, 8, 4, 2, 1, 8, 4, 2, 1, 1])
  })
})
