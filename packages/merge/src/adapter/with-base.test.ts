import { parseConfig } from '@mk/config'
import { expect, it } from 'vitest'
import { withBase } from './with-base.ts'

const baseOf = (models: readonly string[], rest = 'out_format: lora') =>
  withBase(
    parseConfig(
      `merge_method: linear\nmodels: [${models.map((model) => `{model: ${model}, parameters: {weight: 1}}`).join(', ')}]\n${rest}`,
    ).config,
  ).baseModel

it.each([
  [['base+a', 'base+b'], 'base'],
  [['base', 'base+b'], 'base'],
  [['base@v1+a', 'base@v1+b+c'], 'base@v1'],
  [['./base+a', 'base+b'], './base'],
])('names what all of %s are made of, as it is first written with an adapter', (models, expected) => {
  const { path, revision, adapters } = baseOf(models)!
  expect([revision === undefined ? path : `${path}@${revision}`, adapters]).toEqual([expected, []])
})

it.each([
  [['base+a', 'other+b']],
  [['base+a', 'other']],
  [['base@v1+a', 'base@v2+b']],
  [['base', 'base']],
  [['{base: base+a, plus: [{model: base+b}]}', 'base+a']],
  [['{base: base, plus: [{model: base+b}]}', '{base: base, plus: [{model: base+b}]}']],
])('names none where models are others, or have no adapters: %s', (models) => {
  expect(baseOf(models)).toBeUndefined()
})

it('leaves a base that is named, and what becomes a model', () => {
  expect(baseOf(['base+a'], 'out_format: lora\nbase_model: other')!.path).toBe('other')
  expect(baseOf(['base+a'], '')).toBeUndefined()
})
