import { expect, test } from 'vitest'
import { planRules, sayUnreadable, type UnreadableStack } from './issues.ts'

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

test('a layer range is told with the layers that there are', () => {
  const text = (layerCount: number) =>
    planRules['layer-range'].text({ where: 'r.yml:1:1', model: 'a', range: [1, 3], layerCount })
  expect(text(2)).toMatch(/goes past the end: a has 2 layers \(0 to 1; the end is exclusive\)$/)
  expect(text(1)).toMatch(/a has 1 layer \(0 to 0; the end is exclusive\)$/)
  expect(text(0)).toMatch(/a has 0 layers$/)
})

test('models of other names are told by those of their layers, if there are any', () => {
  const text = (names: readonly string[]) =>
    planRules['other-names'].text({ model: 'a', donor: 'b', names, donorNames: ['x.0.w', 'x.1.w'] })
  expect(text(['y.0.w'])).toContain('b has x.{0–1}.w, … where a has y.0.w, …; expected')
  expect(text([])).toContain('where a has no layers; expected')
})

test('tensors that are missing are told with a way out, where there is one', () => {
  const text = (hasWayOut: boolean) =>
    planRules['missing-tensor'].text({ missing: [{ model: 'a', other: 'b', tensors: ['x', 'y'] }], hasWayOut })
  expect(text(true)).toMatch(/^a lacks x, y, which b has; expected all models to have the same \('missing: base'/)
  expect(text(false)).toMatch(/since embeddings and heads are never left out$/)
})

test('a module that there isn’t is told with those of the model, or of all', () => {
  const text = (model?: string) =>
    planRules['unknown-module'].text({
      where: 'r',
      module: 'x',
      known: ['y', 'z'],
      ...(model !== undefined && { model }),
    })
  expect(text()).toBe("r: the models have no module 'x', only 'y', 'z'")
  expect(text('a')).toBe("r: a has no module 'x', only 'y', 'z'")
})

test('six shapes of layers that differ are told, and how many pairs more there are', () => {
  const shaped = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ model: 'a', name: `t${at}`, shape: [at, 2] }))
  const text = (count: number) =>
    planRules['layers-differ'].text({ model: 'a', other: 'b', shapes: shaped(count), lacking: [] })
  expect(text(6)).toMatch(/one stack, which no loader could read: t0 of a is \[0, 2\], .*, t5 of a is \[5, 2\]$/)
  expect(text(8)).toMatch(/t5 of a is \[5, 2\], and 1 more shapes differ$/)
})

test('architectures that differ are told with what fits, where that is', () => {
  const families = [{ model: 'a', family: 'x' }]
  const text = planRules['mixed-architectures'].text
  expect(text({ families })).toBe('the models are of different architectures: a is x; expected one for all')
  expect(text({ families, fittingText: 'b' })).toContain(
    "a is x; write 'missing: base' into the recipe to merge b with",
  )
})
