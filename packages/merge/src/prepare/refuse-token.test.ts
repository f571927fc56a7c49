import { expect, test } from 'vitest'
import { refuseToken } from './refuse-token.ts'

const token = `hf_${'a1B2'.repeat(9)}`
const placeIn = (recipe: string | object, file?: string): string | undefined => {
  try {
    refuseToken(recipe, file)
    return undefined
  } catch (error) {
    expect(error).toMatchObject({ code: 'recipe-token' })
    return (error as { issue: { where: string } }).issue.where
  }
}

test.each([
  [token, 'r.yml:1:1'],
  [`a: 1\n# ${token}`, 'r.yml:2:3'],
  [`a: 1\n\nmodels: [{model: x}, {model: ${token}}]`, 'r.yml:3:30'],
])('a token in a text is told by its line and column: %#', (text, where) => {
  expect(placeIn(text, 'r.yml')).toBe(where)
})

test('one in an object is told by its path, a key by that of what it is in', () => {
  expect(placeIn({ models: [{ model: 'x' }, { model: token }] })).toBe('models[1].model')
  expect(placeIn({ parameters: { [token]: 1 } })).toBe('a key of parameters')
})

test('a recipe without a token passes, also one that is part of itself', () => {
  const recipe: Record<string, unknown> = { merge_method: 'linear', dtype: null, seed: 1, models: [] }
  recipe['again'] = recipe
  expect(placeIn(recipe)).toBeUndefined()
  expect(placeIn('merge_method: linear')).toBeUndefined()
})
