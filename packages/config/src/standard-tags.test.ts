import { expect, it } from 'vitest'
import { faultsOf, withTop } from './__fixtures__/failures.ts'
import { parseConfig } from './parse-config.ts'
import { readTagged } from './standard-tags.ts'

const settingOf = (value: string) =>
  parseConfig(withTop(`parameters: {p: ${value}}`)).config.parameters.settings.get('p')

it.each([
  ['!!float 1', 1],
  ['!!float "3"', 3],
  ['!!float 1e-3', 0.001],
  ['!!float 1_000.5', 1000.5],
  ['!<tag:yaml.org,2002:float> 2', 2],
  ['!!int "3"', 3],
  ['!!int 0x10', 16],
  ['!!int -7', -7],
  ['!!bool yes', true],
  ['!!bool "false"', false],
  ['!!str off', 'off'],
  ['!!str true', 'true'],
  ['! sum', 'sum'],
])('%s is %j', (text, value) => {
  expect(settingOf(text)).toEqual({ kind: 'scalar', value })
})

it('reads tags in gradients, in lists and mappings, and on paths', () => {
  expect(settingOf('!!seq [!!float 0, !!int 1]')).toEqual({ kind: 'gradient', values: [0, 1] })
  expect(settingOf('[!!map {filter: !!str mlp, value: !!float 1}]')).toEqual({
    kind: 'filtered',
    choices: [{ filter: 'mlp', value: { kind: 'scalar', value: 1 } }],
  })
  const { config } = parseConfig('merge_method: !!str linear\nmodels: [{model: !!str 007}]')
  expect(config.modules[0]!.slices[0]!.sources[0]!.model.path).toBe('007')
})

it('takes an empty value with the tag of null for none', () => {
  expect(parseConfig(withTop('dtype: !!null ""')).config).not.toHaveProperty('dtype')
})

it.each(['!!int 1.5', '!!float x', '!!bool maybe', '!!null 1'])('rejects %s', (text) => {
  expect(faultsOf(withTop(`parameters: {p: ${text}}`))[0]).toMatch(
    /^config:3:\d+: not valid YAML: the value is none of the type that its tag says/,
  )
})

it.each(['!!python/tuple [0, 1]', '!!set {a}', '!own x', '!!timestamp 2001-01-01'])('rejects the tag of %s', (text) => {
  expect(faultsOf(withTop(`parameters: {p: ${text}}`))[0]).toMatch(/^config:3:\d+: not valid YAML: a value of the type/)
})

it.each([
  ['float', '.inf', Infinity],
  ['float', '+.Inf', Infinity],
  ['float', '-.INF', -Infinity],
  ['float', '.nan', NaN],
  ['float', '.5', 0.5],
  ['float', '-5.', -5],
  ['float', '1e', undefined],
  ['int', '-0b11', -3],
  ['int', '0o17', 15],
  ['int', '+0x1F', 31],
  ['int', '0x', undefined],
  ['bool', 'OFF', false],
  ['bool', 'On', true],
  ['null', '~', null],
  ['null', 'nULL', undefined],
  ['seq', '[]', undefined],
])('%s of %s is %s', (type, text, value) => {
  expect(readTagged(`tag:yaml.org,2002:${type}`, text)).toEqual(
    value === undefined ? undefined : { value, quoted: false },
  )
})
