import type { Checkpoint } from '@mk/checkpoint'
import type { MergeConfig } from '@mk/config'
import type { Dtype } from '@mk/safetensors'
import type { TensorSource } from '@mk/source'
import { describe, expect, test } from 'vitest'
import { ggmlTypeOf } from '../prepare/ggml-type-of.ts'
import { isFloat, nameOfDtype, outputDtype, ownDtype } from './dtypes.ts'
import { commonestDtype } from './plan-documents.ts'
import { storedBytes } from './stored-size.ts'

const asked = (config: Partial<MergeConfig>) => outputDtype(config as MergeConfig)
const file = (dtype: Dtype): TensorSource => ({ kind: 'file', dtype, shape: [4], file: 'f', byteStart: 0 })

describe.each([
  ['float64', 'F64'],
  ['float32', 'F32'],
  ['float16', 'F16'],
  ['bfloat16', 'BF16'],
  ['float8_e4m3fn', 'F8_E4M3'],
  ['float8_e5m2', 'F8_E5M2'],
] as const)('%s', (name, dtype) => {
  test('is the name of a float, as which it is asked for', () => {
    expect([nameOfDtype(dtype), isFloat(dtype)]).toEqual([name, true])
    expect([asked({ dtype: name }), asked({ outDtype: name, dtype: 'float32' })]).toEqual([dtype, dtype])
  })
})

test('integers have no such name, blocks are made of float32, and without a wish none is there', () => {
  expect([nameOfDtype('I64'), isFloat('BOOL')]).toEqual([undefined, false])
  expect([asked({ outDtype: 'q8_0', dtype: 'float16' }), asked({})]).toEqual(['F32', undefined])
})

test('a tensor counts as what it is stored in; what was dequantized as what the model computes in', () => {
  const of = (source: TensorSource, config?: object) => ownDtype(source, { config } as unknown as Checkpoint)
  const dequantized = { kind: 'dequantized', dtype: 'F32', shape: [4], source: file('I8'), scale: 1 } as never
  expect(of(file('F16'), { torch_dtype: 'float32' })).toBe('F16')
  expect(of(dequantized, { torch_dtype: 'float16' })).toBe('F16')
  expect(of(dequantized)).toBe('BF16')
})

test('the commonest dtype goes by elements, and is a float', () => {
  const tensor = (dtype: Dtype, ...shape: number[]) => ({ dtype, shape })
  expect(commonestDtype([tensor('F32', 2, 3), tensor('BF16', 4), tensor('BF16', 3)])).toBe('bfloat16')
  expect(commonestDtype([tensor('F32', 2, 3), tensor('BF16', 4), tensor('I64', 100)])).toBe('float32')
  expect(commonestDtype([tensor('I64', 100)])).toBeUndefined()
})

test('a GGUF has blocks as they are, dtypes by its names, and others as float32', () => {
  const blocks = { kind: 'blocks', type: 'Q6_K', dtype: 'F32', shape: [256] } as unknown as TensorSource
  expect([blocks, file('F16'), file('BOOL')].map(ggmlTypeOf)).toEqual(['Q6_K', 'F16', 'F32'])
})

test('a tensor is stored in its dtype, or in the blocks of its rows', () => {
  const tensor = {
    name: 'w',
    dtype: 'F32',
    shape: [2, 64],
    file: 0,
    byteStart: 0,
    operation: undefined as never,
  } as const
  expect(storedBytes(tensor)).toBe(2 * 64 * 4)
})
