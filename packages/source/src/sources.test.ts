import { expect, it } from 'vitest'
import { cropSource, sourceFiles, storedDtype, type TensorSource } from './index.ts'

const file = (name: string): TensorSource => ({ kind: 'file', file: name, byteStart: 0, dtype: 'BF16', shape: [4, 6] })
const adapted: TensorSource = {
  kind: 'lora',
  dtype: 'F32',
  shape: [4, 6],
  source: file('w'),
  a: file('a'),
  b: file('b'),
  scale: 1,
  transposed: false,
}

it('takes a sub-matrix, and the source itself where that is all of it', () => {
  expect(cropSource(file('w'), [2, 6])).toEqual({ kind: 'crop', dtype: 'BF16', shape: [2, 6], source: file('w') })
  const whole = file('w')
  expect(cropSource(whole, [4, 6])).toBe(whole)
})

it('lists each file once, in order of first use', () => {
  expect(sourceFiles([cropSource(adapted, [1, 6]), file('b'), file('z')])).toEqual(['w', 'a', 'b', 'z'])
})

it('tells the dtype that was stored, below crops and adapters', () => {
  expect(storedDtype(cropSource(adapted, [1, 6]), 'F16')).toBe('BF16')
  const scaled: TensorSource = {
    kind: 'dequantized',
    dtype: 'F32',
    shape: [4, 6],
    source: file('w'),
    scale: file('s'),
    blockRows: 1,
    blockColumns: 6,
    inverse: false,
  }
  expect(storedDtype(scaled, 'F16')).toBe('F16')
  expect(sourceFiles([scaled])).toEqual(['w', 's'])
})
