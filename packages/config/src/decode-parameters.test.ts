import { expect, it } from 'vitest'
import { faultsOf, withTop } from './__fixtures__/failures.ts'
import type { ParameterSetting } from './merge-config.ts'
import { parseConfig } from './parse-config.ts'

const parse = (setting: string) => parseConfig(withTop(`parameters: {p: ${setting}}`))
const settingOf = (setting: string): ParameterSetting | undefined => parse(setting).config.parameters.settings.get('p')

it.each([
  ['0.5', 0.5],
  ['1', 1],
  ['-2e-3', -0.002],
  ['1e-5', 1e-5],
  ['.5', 0.5],
  ['true', true],
  ['sum', 'sum'],
  ['yes', true],
  ['Off', false],
  ['"yes"', 'yes'],
  ['"true"', 'true'],
  ['bfloat16', 'bfloat16'],
])('%s is a scalar', (text, value) => {
  expect(settingOf(text)).toEqual({ kind: 'scalar', value })
})

it('a list of numbers is a gradient', () => {
  expect(settingOf('[0, 0.5, 1]')).toEqual({ kind: 'gradient', values: [0, 0.5, 1] })
  expect(settingOf('[0.3]')).toEqual({ kind: 'gradient', values: [0.3] })
})

it('reads alternatives by tensor name, whose values may be gradients', () => {
  expect(settingOf('[{filter: self_attn, value: [0, 1]}, {filter: "*", value: yes}]')).toEqual({
    kind: 'filtered',
    choices: [
      { filter: 'self_attn', value: { kind: 'gradient', values: [0, 1] } },
      { filter: '*', value: { kind: 'scalar', value: true } },
    ],
  })
})

it('reads a single {filter, value} outside of a list', () => {
  expect(settingOf('{filter: mlp, value: 1}')).toEqual({
    kind: 'filtered',
    choices: [{ filter: 'mlp', value: { kind: 'scalar', value: 1 } }],
  })
  expect(settingOf('{value: 1}')).toEqual({
    kind: 'filtered',
    choices: [{ filter: undefined, value: { kind: 'scalar', value: 1 } }],
  })
})

it('takes a number as a filter for its text, and an empty filter for what it is', () => {
  expect(settingOf('{filter: 10, value: 1}')).toMatchObject({ choices: [{ filter: '10' }] })
  expect(settingOf('{filter: "", value: 1}')).toMatchObject({ choices: [{ filter: '' }] })
  expect(settingOf('{filter: null, value: 1}')).toMatchObject({ choices: [{ filter: undefined }] })
})

it('reads numbers that are written as text, and says so', () => {
  const { config, warnings } = parse('["0.5", 1]')
  expect(config.parameters.settings.get('p')).toEqual({ kind: 'gradient', values: [0.5, 1] })
  expect(warnings).toEqual([`config:3:18: parameters.p[0] is the text '0.5', read as the number 0.5`])
})

it('warns of a value that is never used', () => {
  expect(parse('[{value: 1}, {filter: mlp, value: 2}]').warnings).toEqual([
    'config:3:30: this value is never used: the one before it, without a filter, matches every tensor',
  ])
})

it('treats absent, empty and null parameters alike', () => {
  for (const top of ['', 'parameters:', 'parameters: {}']) {
    expect(parseConfig(withTop(top)).config.parameters).toEqual({ path: ['parameters'], settings: new Map() })
  }
})

it.each([
  ['.nan', 'parameters.p is .nan, expected a finite number'],
  ['.inf', 'parameters.p is .inf, expected a finite number'],
  ['"1e999"', "parameters.p is the text '1e999', expected a finite number"],
  ['[0, -.inf]', 'parameters.p[1] is -.inf, expected a finite number'],
  ['', 'parameters.p is empty, expected a value'],
  ['[]', 'parameters.p is an empty list, expected a value'],
  ['[0, [1]]', 'parameters.p[1] is a list, expected a number'],
  ['[true, false]', 'parameters.p[0] is true, expected a number'],
  ['[a, b]', `parameters.p[0] is the text 'a', expected a number`],
  ['[{filter: a, value: 1}, 0.5]', 'a fallback for the other tensors is written {value: …}, last'],
  ['{filter: a}', `parameters.p needs 'value'`],
  ['[{fitler: a, value: 1}]', `unknown key 'fitler' in parameters.p[0]; did you mean 'filter'?`],
  ['[{filter: a, value: {filter: b, value: 1}}]', 'parameters.p[0].value is a mapping, expected a value or a gradient'],
  ['[{filter: [a], value: 1}]', 'parameters.p[0].filter is a list, expected a part of a tensor name'],
])('rejects %s', (setting, message) => {
  expect(faultsOf(withTop(`parameters: {p: ${setting}}`))).toContainEqual(expect.stringContaining(message))
})

it('rejects parameters that are no mapping', () => {
  expect(faultsOf(withTop('parameters: [weight]'))).toEqual([
    'config:3:13: parameters is a list, expected a mapping of parameter names to values, such as {weight: 0.5}',
  ])
})
