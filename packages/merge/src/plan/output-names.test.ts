import { describe, expect, test } from 'vitest'
import { dataFileName, findRecordFile, formatRecord, isWrittenName, parseRecord, tellsUse } from './output-names.ts'

test.each([
  [0, 1, 'model.safetensors'],
  [0, 2, 'model-00001-of-00002.safetensors'],
  [11, 12, 'model-00012-of-00012.safetensors'],
  [0, 123_456, 'model-00001-of-123456.safetensors'],
])('data file %i of %i is %s', (index, count, name) => {
  expect(dataFileName(index, count)).toBe(name)
  expect(isWrittenName(name)).toBe(true)
})

test.each([
  'model.safetensors.index.json',
  'config.json',
  'mergekit_config.yml',
  'mergekit_moe_config.yml',
  'README.md',
  'adapter_config.json',
  'model.gguf',
  'adapter_model.safetensors',
])('%s is what a merge writes', (name) => {
  expect(isWrittenName(name)).toBe(true)
})

test.each([
  'model-1-of-2.safetensors',
  'my-model.safetensors',
  'model.safetensors.bak',
  'other.gguf',
  'tokenizer.json',
])('%s is none', (name) => {
  expect(isWrittenName(name)).toBe(false)
})

test.each([
  ['tokenizer.json', true],
  ['config.json', false],
  ['generation_config.json', true],
  ['modeling_own.py', false],
  ['notes.txt', false],
])('the name of %s tells its use: %s', (name, tells) => {
  expect(tellsUse(name)).toBe(tells)
})

describe('the record of what was copied', () => {
  test.each([
    [['a.txt', 'model.safetensors'], 'model.safetensors'],
    [['model-00002-of-00002.safetensors', 'model-00001-of-00002.safetensors'], 'model-00001-of-00002.safetensors'],
    [['model-000001-of-123456.safetensors'], 'model-000001-of-123456.safetensors'],
    [['adapter_model.safetensors'], 'adapter_model.safetensors'],
    [['model-1-of-2.safetensors', 'model-00010-of-00011.safetensors', 'model.gguf'], undefined],
  ])('of %j is in %s', (entries, file) => {
    expect(findRecordFile(entries)).toBe(file)
  })

  test('is read as it was written, and nothing is written of nothing', () => {
    expect(formatRecord([])).toEqual({})
    expect(formatRecord(['a', 'b'])).toEqual({ 'mk.copied': '["a","b"]' })
    expect(parseRecord(formatRecord(['a', 'b']))).toEqual(['a', 'b'])
    expect(parseRecord({ format: 'pt' })).toEqual([])
  })

  test.each(['{', '"a"', '{"a":1}', 'null'])('%s is none', (text) => {
    expect(parseRecord({ 'mk.copied': text })).toEqual([])
  })

  test('has names only', () => {
    expect(parseRecord({ 'mk.copied': '["a",1,null]' })).toEqual(['a'])
  })
})
