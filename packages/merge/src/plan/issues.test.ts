import { expect, test } from 'vitest'
import { sayUnreadable, type UnreadableStack } from './issues.ts'

const layer = (place: number, missing: readonly string[], shapes: readonly string[] = []) =>
  ({ place, layer: place + 1, model: 'a', missing, shapes }) as UnreadableStack['layers'][number]
const say = (stack: Partial<UnreadableStack>) =>
  sayUnreadable({ path: 'model.layers', layers: [], partByLayer: [], settings: [], ...stack })

test('a stack that no loader could read is told by its first layer, and how many are like it', () => {
  expect(say({ layers: [layer(2, ['x.weight'])] })).toBe(
    'no loader could read the layers of model.layers in this order: layer 2 would be layer 3 of a, which lacks x.weight, while loaders tell by its number alone what the layer in this place has',
  )
  expect(say({ layers: [0, 1, 2].map((place) => layer(place, [], ['y'])), settings: ['s', 't'] })).toBe(
    'no loader could read the layers of model.layers in this order: layer 0 would be layer 1 of a, which has y in another shape, while loaders tell by its number (s, t) what the layer in this place has (and so on for 2 more)',
  )
})

test('tensors with a part for each layer are named after it', () => {
  expect(say({ partByLayer: ['p'], layers: [layer(1, ['x'])] })).toMatch(
    /order: layer 1 would be .* has; p has a part for each layer, and these would be other ones$/,
  )
  expect(say({ partByLayer: ['p', 'q'] })).toMatch(/order: p has a part .*; q has a part /)
})
