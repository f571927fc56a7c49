import { describe, expect, test } from 'vitest'
import { parseAdapterConfig } from './adapter-config.ts'
import { createNameMatcher } from './match-tensor-name.ts'

const parse = (more: object = {}) =>
  parseAdapterConfig(JSON.stringify({ peft_type: 'LORA', r: 8, lora_alpha: 16, ...more }), 'f.json')
const expectRefusal = (more: object, code: string, issue: object = {}) =>
  expect(() => parse(more)).toThrow(
    expect.objectContaining({ code, issue: expect.objectContaining({ file: 'f.json', ...issue }) }),
  )

test('rank and scale are those of all modules, or of those that a pattern matches', () => {
  expect(parse().ofModule('a')).toEqual({ rank: 8, scale: 2 })
  const settings = parse({ rank_pattern: { q_proj: 4, 'layers.1.mlp': 2 }, alpha_pattern: { q_proj: 1 } })
  expect(settings.ofModule('model.layers.0.q_proj')).toEqual({ rank: 4, scale: 0.25 })
  expect(settings.ofModule('model.layers.1.mlp')).toEqual({ rank: 2, scale: 8 })
  expect(settings.ofModule('model.layers.1.up_proj')).toEqual({ rank: 8, scale: 2 })
})

test('the scale may go by the root of the rank', () => {
  expect(parse({ use_rslora: true, r: 16 }).ofModule('a')).toEqual({ rank: 16, scale: 4 })
  expect(parse({ use_rslora: null }).ofModule('a').scale).toBe(2)
})

test('weights may be stored as [in, out], and modules trained whole', () => {
  expect([parse().transposed, parse({ fan_in_fan_out: true }).transposed]).toEqual([false, true])
  expect([parse().modulesToSave, parse({ modules_to_save: ['lm_head'] }).modulesToSave]).toEqual([[], ['lm_head']])
  expect(parse({ modules_to_save: null }).modulesToSave).toEqual([])
})

describe.each([
  'use_dora',
  'use_qalora',
  'use_bdlora',
  'lora_bias',
  'alora_invocation_tokens',
  'arrow_config',
  'kasa_config',
  'monteclora_config',
  'layer_replication',
  'trainable_token_indices',
  'target_parameters',
])('%s', (option) => {
  test('is refused where it is on', () => {
    for (const value of [true, [1], { a: 1 }, 'x', 0])
      expectRefusal({ [option]: value }, 'adapter-option', { option, value: JSON.stringify(value) })
  })

  test('may be off', () => {
    for (const value of [false, null, [], {}]) expect(parse({ [option]: value }).ofModule('a').rank).toBe(8)
  })
})

test.each(['pissa', 'olora', 'corda', 'loftq', 'lora_ga', 'mica', 'pissa_niter_4'])('%s changes the model', (start) => {
  expectRefusal({ init_lora_weights: start }, 'adapter-option', { option: 'init_lora_weights', value: start })
})

test.each(['gaussian', 'eva', true, null])('init_lora_weights may be %j', (start) => {
  expect(parse({ init_lora_weights: start }).ofModule('a').rank).toBe(8)
})

test.each<[object, string, string]>([
  [{ r: 0 }, 'r is 0', 'an integer from 1'],
  [{ r: 1.5 }, 'r is 1.5', 'an integer from 1'],
  [{ r: undefined }, 'r is missing', 'an integer from 1'],
  [{ lora_alpha: 'x' }, 'lora_alpha is "x"', 'a number'],
  [{ rank_pattern: { a: 0 } }, "rank_pattern['a'] is 0", 'an integer from 1'],
  [{ alpha_pattern: { a: null } }, "alpha_pattern['a'] is null", 'a number'],
  [{ rank_pattern: [1] }, 'rank_pattern is [1]', 'an object of numbers by module'],
  [{ bias: 'some' }, 'bias is "some"', "'none', 'all' or 'lora_only'"],
  [{ fan_in_fan_out: 1 }, 'fan_in_fan_out is 1', 'true or false'],
  [{ use_rslora: 'yes' }, 'use_rslora is "yes"', 'true or false'],
  [{ modules_to_save: 'all' }, 'modules_to_save is "all"', 'a list of names'],
  [{ modules_to_save: [1] }, 'modules_to_save is [1]', 'a list of names'],
])('%j is refused', (more, problem, expected) => expectRefusal(more, 'adapter-config', { problem, expected }))

test.each(['none', 'all', 'lora_only'])('bias may be %s', (bias) => {
  expect(parse({ bias }).ofModule('a').rank).toBe(8)
})

test('a long value is cut in the message', () => {
  expectRefusal({ bias: 'x'.repeat(78) }, 'adapter-config', { problem: `bias is "${'x'.repeat(78)}"` })
  expectRefusal({ bias: 'x'.repeat(79) }, 'adapter-config', { problem: `bias is "${'x'.repeat(79)}…` })
})

test('what is no LoRA, no object or no JSON is refused', () => {
  expectRefusal({ peft_type: 'IA3' }, 'adapter-type', { found: '"IA3"' })
  for (const [text, problem] of [
    ['{', 'it is no JSON'],
    ['[]', 'it holds no object'],
  ])
    expect(() => parseAdapterConfig(text!, 'f.json')).toThrow(
      expect.objectContaining({ issue: expect.objectContaining({ code: 'adapter-config', problem }) }),
    )
})

describe('a name in a model', () => {
  const find = (names: readonly string[], name: string) => {
    const found = createNameMatcher(names)(name)
    return found.kind === 'one' ? found.name : found.candidates
  }
  const q = 'layers.0.q.weight'

  test.each<[readonly string[], string, string | readonly string[]]>([
    [[`model.${q}`, q], q, q],
    [[`model.${q}`], q, `model.${q}`],
    [[q], `model.${q}`, q],
    [[`language_model.model.${q}`], `model.${q}`, `language_model.model.${q}`],
    [[`transformer.${q}`], `base_model.model.${q}`, `transformer.${q}`],
    [[`model.${q}`, `language_model.${q}`], q, [`model.${q}`, `language_model.${q}`]],
    [[`thinker.${q}`], `model.${q}`, `thinker.${q}`],
    [[`thinker.${q}`, `talker.${q}`], `model.${q}`, [`thinker.${q}`, `talker.${q}`]],
    [['0.q.weight'], `model.${q}`, '0.q.weight'],
    [['q.weight'], `model.${q}`, []],
    [['weight'], `model.${q}`, []],
    [['model.weight'], 'language_model.weight', []],
    [['a.block_sparse_moe.gate.weight'], 'a.mlp.gate.weight', 'a.block_sparse_moe.gate.weight'],
    [['a.mlp.gate.weight', 'a.block_sparse_moe.gate.weight'], 'a.mlp.gate.weight', 'a.mlp.gate.weight'],
    [['x.weight'], q, []],
  ])('among %j: %s', (names, name, found) => {
    expect(find(names, name)).toEqual(found)
  })
})
