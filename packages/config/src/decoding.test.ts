import { describe, expect, it } from 'vitest'
import { failureOf, withTop } from './__fixtures__/failures.ts'
import { createDecoding, warnOfIgnoredKey } from './decoding.ts'
import { parseConfig } from './parse-config.ts'

describe('what stands in place of a text', () => {
  it.each([
    ['[]', 'an empty list'],
    ['[a]', 'a list'],
    ['{}', 'an empty mapping'],
    ['{a: 1}', 'a mapping'],
    ['true', 'true'],
    ["''", "the text ''"],
  ])('%s is called %s', (text, words) => {
    expect(failureOf(withTop(`dtype: ${text}`)).message).toContain(`dtype is ${words}, expected one of`)
  })

  it('is shortened', () => {
    const text = 'x'.repeat(1000)
    const { message } = failureOf(withTop(`dtype: ${text}`))
    expect(message).toContain(`the text 'x`)
    expect(message.length).toBeLessThan(300)
  })
})

describe('a layer range', () => {
  const ranged = (range: string) =>
    `merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: ${range}}]}]`
  const path = 'slices[0].sources[0].layer_range'

  it.each([
    ['3', `${path} is 3, expected [start, end) as two integers: the end is not included`],
    ['{}', `${path} is an empty mapping, expected`],
    ['[]', `${path} is [], expected [start, end)`],
    ['[0]', `${path} is [0], expected`],
    ['[0, 1, 2]', `${path} is [0, 1, 2], expected`],
    ['[0, [1]]', `${path} is [0, …], expected [start, end) as two integers: layers are counted in whole numbers`],
    ['[[0], 1]', `${path} is […, 1], expected [start, end) as two integers: layers are counted in whole numbers`],
    ['[0.5, 1]', 'layers are counted in whole numbers'],
    ['[0, 1.5]', 'layers are counted in whole numbers'],
    ['[-1, 1]', 'the first layer is 0'],
    ['[2, 1]', 'the end is before the start'],
  ])('is not %s', (range, words) => {
    const { code, message } = failureOf(ranged(range))
    expect([code, message]).toEqual(['bad-layer-range', expect.stringContaining(words)])
  })

  it.each([
    ['[0, 0]', [0, 0]],
    ['[0, 1]', [0, 1]],
    ['[3, 3]', [3, 3]],
    ['[2, 32]', [2, 32]],
  ])('is %s', (range, layers) => {
    expect(parseConfig(ranged(range)).config.modules[0]!.slices[0]!.sources[0]!.layerRange).toEqual(layers)
  })
})

describe('a list of choices', () => {
  const withScale = (list: string) => withTop(`parameters: {scale: ${list}}`)

  it.each([
    ['[{filter: a, value: 1}, 3]', `parameters.scale[1] is 3, expected {filter, value}`],
    ['[3, {filter: a, value: 1}]', `parameters.scale[0] is 3, expected {filter, value}`],
    ['[{filter: a}, {value: 1}]', `parameters.scale[0] needs 'value'`],
    ['{filter: a}', `parameters.scale needs 'value'`],
    ['[{filter: [a], value: 1}]', `parameters.scale[0].filter is a list, expected a part of a tensor name`],
  ])('is not %s', (list, words) => {
    expect(failureOf(withScale(list)).issues.map(({ code }) => code)).toHaveLength(1)
    expect(failureOf(withScale(list)).message).toContain(words)
  })

  it.each([
    ['[{value: 1}, {filter: a, value: 2}]', 1],
    ["[{filter: '*', value: 1}, {value: 2}, {value: 3}]", 2],
    ['[{filter: a, value: 1}, {value: 2}]', 0],
  ])('with values that are never used has a warning for each: %s', (list, count) => {
    const { warnings } = parseConfig(withScale(list))
    expect(warnings).toEqual(Array.from({ length: count }, () => expect.stringContaining('this value is never used')))
  })
})

it('a warning of 500 characters is shown whole, a longer one cut', () => {
  const decoding = createDecoding('r.yml')
  for (const length of [500, 501]) decoding.warn(undefined, 'x'.repeat(length))
  expect(decoding.warnings[0]).toBe(`r.yml: ${'x'.repeat(500)}`)
  expect(decoding.warnings[1]).toMatch(/^r\.yml: x{500}…/)
})

it('an ignored key is told with the key that was meant, with a hint, or alone', () => {
  const decoding = createDecoding('r.yml', true)
  for (const more of [{}, { hint: 'write x' }, { guess: 'models' }, { guess: 'models', hint: 'write x' }])
    warnOfIgnoredKey(decoding, undefined, { key: 'model', path: ['slices'], ...more })
  const ignored = `r.yml: unknown key 'model' in slices is ignored, as mergekit does`
  const meant = `${ignored}; did you mean 'models'?`
  expect(decoding.warnings).toEqual([ignored, `${ignored}; write x`, meant, meant])
})

it('errors have the name of their class', () => {
  expect(failureOf('#')).toMatchObject({ name: 'ConfigError' })
})
