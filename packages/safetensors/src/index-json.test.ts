import { describe, expect, it } from 'vitest'
import { formatIndex, parseIndex } from './index-json.ts'

const code = (value: string) => expect.objectContaining({ code: value })
const withPath = (path: unknown) => JSON.stringify({ weight_map: { w: path } })

describe('parseIndex', () => {
  it('reads back what formatIndex writes', () => {
    const weightMap = new Map([
      ['a.weight', 'model-00001-of-00002.safetensors'],
      ['b.weight', 'sub/model.safetensors'],
    ])
    const index = parseIndex(formatIndex(weightMap, { total_size: 12 }))
    expect(index).toEqual({ weightMap, metadata: { total_size: 12 } })
  })

  it.each([
    '../w',
    'a/../../w',
    '/etc/passwd',
    'C:\\w',
    'C:w',
    '..\\w',
    'a\\..\\w',
    '',
    '.',
    './w',
    'a//b',
    'w\0.safetensors',
  ])('refuses to leave the folder for %j', (path) => {
    expect(() => parseIndex(withPath(path))).toThrow(code('unsafe-path'))
  })

  it.each([
    '',
    '{',
    '[]',
    'null',
    '{}',
    '{"weight_map":[]}',
    '{"weight_map":{},"metadata":1}',
    withPath(1),
    withPath(null),
  ])('rejects %s', (text) => {
    expect(() => parseIndex(text, 'model.safetensors.index.json')).toThrow(code('bad-index'))
  })

  it('rejects a tensor listed twice', () => {
    expect(() => parseIndex('{"weight_map":{"w":"a","w":"b"}}')).toThrow(code('duplicate-key'))
  })
})
