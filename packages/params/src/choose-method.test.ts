import { parseConfig } from '@mk/config'
import { expect, it } from 'vitest'
import { listMethodChoices, matchesFilter, methodChoices } from './choose-method.ts'

const { config } = parseConfig(`merge_method: [{filter: mlp, value: ties}, {value: linear}]
modules:
  text:
    merge_method: [{filter: self_attn, value: slerp}]
    slices:
      - sources: [{model: a, layer_range: [0, 1]}]
        merge_method: [{filter: norm, value: passthrough}]
      - sources: [{model: a, layer_range: [1, 2]}]
        merge_method: karcher
      - sources: [{model: a, layer_range: [2, 3]}]
`)
const [module] = config.modules

it("asks for a slice's methods first, then for the module's, then for the top's, up to one for all tensors", () => {
  const names = module!.slices.map((slice) => methodChoices(config, module!, slice).map(({ method }) => method))
  expect(names).toEqual([['passthrough', 'slerp', 'ties', 'linear'], ['karcher'], ['slerp', 'ties', 'linear']])
})

it('asks for none after one for *, and for all where none is for all tensors', () => {
  const choice = (filter: string | undefined, method: string) => ({ filter, method, path: [] })
  const of = (...mergeMethod: ReturnType<typeof choice>[]) =>
    methodChoices(
      { ...config, mergeMethod: [choice(undefined, 'last')] },
      { ...module!, mergeMethod },
      module!.slices[2]!,
    )
  expect(of(choice('*', 'ties'), choice('mlp', 'slerp')).map(({ method }) => method)).toEqual(['ties'])
  const filtered = [choice('a', 'ties'), choice('b', 'slerp')]
  const nowhere = { ...module!, mergeMethod: filtered }
  expect(methodChoices({ ...config, mergeMethod: [] }, nowhere, module!.slices[2]!)).toEqual(filtered)
})

it('lists all that are named', () => {
  expect(listMethodChoices(config).map(({ method }) => method)).toEqual([
    'ties',
    'linear',
    'slerp',
    'passthrough',
    'karcher',
  ])
})

it.each([
  [undefined, true],
  ['*', true],
  ['mlp', true],
  ['mlp.up', true],
  ['attn', false],
])('the filter %s of layers.0.mlp.up: %s', (filter, matches) => {
  expect(matchesFilter({ filter }, 'layers.0.mlp.up')).toBe(matches)
})
