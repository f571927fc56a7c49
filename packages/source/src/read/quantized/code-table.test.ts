import { expect, test } from 'vitest'
import type { CodeValues, PackedSource, TensorSource } from '../../tensor-source.ts'
import type { ElementReader } from '../elements/element-reader.ts'
import { createCodeTables } from './code-table.ts'

const asked: unknown[] = []
const tableOf = createCodeTables({
  readFloats: (source: TensorSource, start: number, values: Float32Array) => {
    asked.push([source, start])
    values.forEach((_, at) => (values[at] = at * 10))
  },
} as unknown as ElementReader)
const of = (bits: number, values: CodeValues) => tableOf({ bits, values } as PackedSource)
const integers = (offset: number) => ({ kind: 'integers', offset }) as const
const floats = (format: 'e2m1' | 'e4m3' | 'e8m0') => ({ kind: 'floats', format }) as const

test('integers count from their offset', () => {
  expect([...of(2, integers(-2))]).toEqual([-2, -1, 0, 1])
  expect([...of(3, integers(0))]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})

test('floats of four bits have a sign, two bits of exponent and one of fraction', () => {
  const positive = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
  expect([...of(4, floats('e2m1'))]).toEqual([...positive, ...positive.map((value) => -value)])
})

test('floats of eight bits are those of safetensors, or exponents alone', () => {
  const e4m3 = of(8, floats('e4m3'))
  expect([e4m3.length, e4m3[0], e4m3[0x38], e4m3[0xb8], e4m3[0x7e]]).toEqual([256, 0, 1, -1, 448])
  expect(e4m3[0x7f]).toBeNaN()
  const e8m0 = of(8, floats('e8m0'))
  expect([e8m0.length, e8m0[0], e8m0[126], e8m0[127], e8m0[128], e8m0[254]]).toEqual([
    256,
    2 ** -127,
    0.5,
    1,
    2,
    2 ** 127,
  ])
  expect(e8m0[255]).toBeNaN()
})

test('a table that is made is made once, one that is stored is read each time', () => {
  expect(of(2, integers(-2))).toBe(of(2, integers(-2)))
  expect(of(8, floats('e8m0'))).toBe(of(8, floats('e8m0')))
  expect(of(2, integers(-1))).not.toBe(of(2, integers(-2)))
  expect(of(3, integers(-2))).toHaveLength(8)
  const table = { kind: 'file' } as unknown as TensorSource
  const stored = () => of(2, { kind: 'stored', table })
  expect([...stored()]).toEqual([0, 10, 20, 30])
  expect(stored()).not.toBe(stored())
  expect(asked).toEqual(Array(3).fill([table, 0]))
})
