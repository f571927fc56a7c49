import type { MergeConfig, OutDtypeName, OutFormat } from '@mk/config'
import { describe, expect, test } from 'vitest'
import { ggufType, withFormat, withOutput } from './output-kind.ts'

const config = { mergeMethod: [] } as unknown as MergeConfig
const refused = (make: () => unknown): Readonly<Record<string, unknown>> => {
  try {
    make()
  } catch (error) {
    return (error as { issue: Record<string, unknown> }).issue
  }
  throw new Error('nothing was thrown')
}
const dtypes: Readonly<Record<OutFormat, readonly string[]>> = {
  safetensors: ['float64', 'float32', 'float16', 'bfloat16', 'float8_e4m3fn', 'float8_e5m2'],
  lora: ['float64', 'float32', 'float16', 'bfloat16'],
  gguf: ['float32', 'float16', 'bfloat16', 'q8_0', 'q4_0'],
}
const all = [...new Set(Object.values(dtypes).flat())]

describe.each(Object.keys(dtypes) as OutFormat[])('%s', (format) => {
  test.each(dtypes[format])('has %s', (name) => {
    const asked = { ...config, outDtype: name as OutDtypeName }
    expect(withFormat(asked, format)).toEqual({ ...asked, outFormat: format })
    expect(withOutput(config, { outFormat: format, outDtype: name })).toEqual({ ...asked, outFormat: format })
  })

  test.each(all.filter((name) => !dtypes[format].includes(name)))('has no %s', (name) => {
    const elsewhere = Object.entries(dtypes).find(([, names]) => names.includes(name))![0]
    const issue = { code: 'out-dtype', found: name, format, expected: dtypes[format], elsewhere }
    expect(refused(() => withFormat({ ...config, outDtype: name as OutDtypeName }, format))).toEqual(issue)
    expect(refused(() => withOutput(config, { outFormat: format, outDtype: name }))).toEqual(issue)
    expect(refused(() => withOutput({ ...config, outFormat: format }, { outDtype: name }))).toEqual(issue)
  })
})

test('what the recipe says holds where the command line says nothing, and gives way to it', () => {
  const recipe = { ...config, outFormat: 'gguf', outDtype: 'q8_0', rank: 8 } as MergeConfig
  expect(withOutput(recipe, {})).toEqual(recipe)
  expect(withOutput(recipe, { outDtype: 'q4_0', rank: 16 })).toEqual({ ...recipe, outDtype: 'q4_0', rank: 16 })
  expect(withFormat(recipe, 'safetensors')).toEqual(recipe)
  expect(withFormat(config, 'safetensors')).toEqual({ ...config, outFormat: 'safetensors' })
  expect(withOutput(config, {})).toEqual(config)
})

test('a type that nothing has is told with all that there are, and what is near', () => {
  expect(refused(() => withOutput(config, { outDtype: 'flot16' }))).toEqual({
    code: 'out-dtype',
    found: 'flot16',
    format: 'an output',
    expected: expect.arrayContaining(all),
    nearest: 'float16',
  })
  expect(refused(() => withOutput(config, { outDtype: 'constructor' }))).not.toHaveProperty('nearest')
})

test.each<[Partial<MergeConfig>, OutDtypeName | undefined, string]>([
  [{ outDtype: 'q8_0', dtype: 'float32' }, 'float16', 'Q8_0'],
  [{ outDtype: 'q4_0' }, undefined, 'Q4_0'],
  [{ dtype: 'float32' }, 'float16', 'F32'],
  [{}, 'float16', 'F16'],
  [{}, 'bfloat16', 'BF16'],
  [{}, undefined, 'BF16'],
  [{}, 'float64', 'F32'],
  [{}, 'float8_e4m3fn', 'BF16'],
])('a GGUF of %j with weights of %s has %s', (asked, own, type) => {
  expect(ggufType({ ...config, ...asked }, own)).toBe(type)
})
