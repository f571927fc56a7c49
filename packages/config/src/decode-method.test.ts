import { expect, it } from 'vitest'
import { faultsOf } from './__fixtures__/failures.ts'
import { parseConfig } from './parse-config.ts'

const withMethod = (method: string) => `merge_method: ${method}\nmodels: [{model: a}, {model: b}]\n`

it('a method may be for part of the tensors', () => {
  const { config, locate } = parseConfig(withMethod('[{filter: self_attn, value: slerp}, {value: linear}]'))
  expect(config.mergeMethod).toEqual([
    { filter: 'self_attn', method: 'slerp', path: ['merge_method', 0, 'value'] },
    { filter: undefined, method: 'linear', path: ['merge_method', 1, 'value'] },
  ])
  expect(locate(config.mergeMethod[1]!.path)).toEqual({ line: 1, column: 59 })
  expect(parseConfig(withMethod('{value: linear}')).config.mergeMethod).toEqual([
    { filter: undefined, method: 'linear', path: ['merge_method', 'value'] },
  ])
})

it('slices and modules may have methods of their own', () => {
  const { config } = parseConfig(`merge_method: linear
modules:
  text_decoder:
    merge_method: [{filter: mlp, value: slerp}]
    slices:
      - sources: [{model: a, layer_range: [0, 2]}]
        merge_method: passthrough
      - sources: [{model: a, layer_range: [2, 4]}]
`)
  const [module] = config.modules
  expect(module!.mergeMethod).toEqual([
    { filter: 'mlp', method: 'slerp', path: ['modules', 'text_decoder', 'merge_method', 0, 'value'] },
  ])
  expect(module!.slices.map(({ mergeMethod }) => mergeMethod?.map(({ method }) => method))).toEqual([
    ['passthrough'],
    undefined,
  ])
})

it('an entry behind one for all tensors is never used', () => {
  const { warnings } = parseConfig(withMethod('[{value: linear}, {filter: mlp, value: slerp}]'))
  expect(warnings).toEqual([expect.stringMatching(/^config:1:33: this value is never used/)])
})

it.each([
  [
    '[]',
    /^config:1:15: merge_method is an empty list, expected the name of a merge method, or a list of \{filter, value\}/,
  ],
  ['[slerp, linear]', /^config:1:15: merge_method is a list, expected the name/],
  ['[slerp, {value: linear}]', /^config:1:16: merge_method\[0\] is the text 'slerp', expected \{filter, value\}/],
  ['[{filter: mlp, value: slerp}]', /^config:1:15: merge_method has a filter in each entry; add a last one without/],
  ['{filter: mlp, value: slerp}', /^config:1:15: merge_method has a filter in each entry/],
  [
    '[{filter: mlp, value: [slerp]}, {value: linear}]',
    /^config:1:37: merge_method\[0\]\.value is a list, expected the name/,
  ],
  [
    '[{filter: mlp, method: slerp}, {value: linear}]',
    /unknown key 'method' in merge_method\[0\]; did you mean 'value'/,
  ],
  ['true', /^config:1:15: merge_method is true, expected the name of a merge method/],
])('refuses %s', (method, message) => {
  expect(faultsOf(withMethod(method))[0]).toMatch(message)
})
