import { expect, it } from 'vitest'
import { createMethodContext } from './method-context.ts'

const context = (options = {}) =>
  createMethodContext({ shape: [2, 3], elementCount: 6 } as unknown as Parameters<typeof createMethodContext>[0], {
    tensorName: 'w',
    seed: 1,
    warn: () => {},
    ...options,
  })

it('has one random expression for each model, however often it is asked for', () => {
  const { uniform } = context()
  expect(uniform(0)).toBe(uniform(0))
  expect(uniform(1)).toBe(uniform(1))
  expect(uniform(0)).not.toEqual(uniform(1))
})

it('draws by seed, tensor and model', () => {
  const key = (options: object, model = 0) => JSON.stringify(context(options).uniform(model))
  expect(key({})).toBe(key({}))
  expect(new Set([key({}), key({ seed: 2 }), key({ tensorName: 'v' }), key({}, 1)]).size).toBe(4)
})

it('names models as the caller does, or by their place', () => {
  const names = { base: 'org/base', models: ['org/a'] }
  expect((['base', 0, 1] as const).map((model) => context({ names }).nameOf(model))).toEqual([
    'org/base',
    'org/a',
    'model 2',
  ])
  expect((['base', 0] as const).map((model) => context().nameOf(model))).toEqual(['the base', 'model 1'])
})
