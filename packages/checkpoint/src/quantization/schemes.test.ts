import { describe, expect, test } from 'vitest'
import { describeMethod, layoutsOf } from './schemes.ts'

const of = (method: string, settings: object = {}) =>
  ({ method, blockSize: undefined, settings: settings as Readonly<Record<string, unknown>> }) as const
const count = (method: string, settings?: object, config = {}) => layoutsOf(of(method, settings), config).length
const llama = { model_type: 'llama' }

test.each([
  ['bitsandbytes', 2],
  ['gptq', 1],
  ['awq', 1],
  ['compressed-tensors', 3],
  ['modelopt', 1],
  ['mxfp4', 1],
  ['MLX', 1],
  ['task mask', 1],
  ['fp8', 0],
  ['hqq', 0],
  ['toString', 0],
])('weights by %s may lie in %d ways that can be read', (method, ways) => {
  for (const config of [llama, {}]) {
    expect(count(method, {}, config)).toBe(ways)
    expect(describeMethod(of(method), config)).toBe(method)
  }
})

describe.each<[string, string, readonly unknown[], readonly unknown[]]>([
  ['gptq', 'checkpoint_format', ['gptq', 'gptq_v2'], ['marlin', 5]],
  ['gptq', 'format', ['gptq', 'gptq_v2'], ['bitblas']],
  ['gptq', 'is_marlin_format', [false], [true]],
  ['awq', 'version', ['gemm', 'GEMM'], ['gemv']],
  ['awq', 'format', ['gemm', 'GEMM'], ['marlin']],
  ['awq', 'bits', [4], [3, 8, '4']],
  ['awq', 'w_bit', [4], [3, 8]],
])('%s with %s', (method, setting, read, refused) => {
  test('is read as it mostly is', () => {
    for (const value of [...read, null, undefined]) expect(count(method, { [setting]: value })).toBe(1)
  })

  test('is not read otherwise, which is told', () => {
    for (const value of refused) {
      expect(count(method, { [setting]: value })).toBe(0)
      for (const config of [undefined, {}])
        expect(describeMethod(of(method, { [setting]: value }), config)).toBe(
          `${method} (${setting} ${JSON.stringify(value)})`,
        )
    }
  })
})

test.each<[string, object]>([
  ['gptq', { checkpoint_format: 'gptq_v2', format: 'gptq', is_marlin_format: false }],
  ['gptq', { checkpoint_format: 'gptq', format: null }],
  ['awq', { version: 'gemm', format: 'GEMM', bits: 4, w_bit: 4 }],
  ['awq', { version: 'GEMM', format: 'gemm' }],
])('%s is read with several settings, %j', (method, settings) => {
  expect(count(method, settings)).toBe(1)
})

test('settings of another method are no matter', () => {
  expect(count('mxfp4', { format: 'x', bits: 3 })).toBe(1)
})

test.each(['gpt2', 'openai-gpt', 'imagegpt', 'decision_transformer'])(
  'weights of %s are stored transposed',
  (model_type) => {
    const told = 'gptq, where the weights of its architecture are stored transposed,'
    for (const config of [{ model_type }, { text_config: { model_type } }]) {
      expect(count('gptq', {}, config)).toBe(0)
      expect(describeMethod(of('gptq'), config)).toBe(told)
      for (const other of ['hqq', 'own']) expect(describeMethod(of(other), config)).toBe(other)
    }
    expect(describeMethod(of('gptq'), undefined)).toBe('gptq')
    expect(count('gptq', {}, { text_config: model_type, vision_config: { model_type } })).toBe(1)
  },
)
