import { describe, expect, it } from 'vitest'
import { parseMoeConfig } from './parse-moe-config.ts'

const two = `base_model: base
experts:
  - source_model: a
    positive_prompts: [code]
  - source_model: b
    positive_prompts: [prose]
`
const parse = (text: string, options: { lenient?: boolean; allowEqualExperts?: boolean } = {}) =>
  parseMoeConfig(text, { file: 'moe.yml', ...options })

describe('parseMoeConfig', () => {
  it('reads what is left out as mergekit does', () => {
    expect(parse(two)).toMatchObject({
      warnings: [],
      config: {
        baseModel: 'base',
        gateMode: 'hidden',
        expertsPerToken: 2,
        sharedExperts: [],
        experts: [
          { model: 'a', positivePrompts: ['code'], negativePrompts: [], noiseScale: 0, residualScale: 1 },
          { model: 'b', positivePrompts: ['prose'] },
        ],
      },
    })
  })

  it('reads all settings', () => {
    const { config } = parse(`
base_model: base
gate_mode: cheap_embed
dtype: bfloat16
experts_per_token: 1
architecture: qwen
experts:
  - {source_model: a, positive_prompts: [x], negative_prompts: [y], noise_scale: 0.1, residual_scale: 0}
  - {source_model: b, positive_prompts: [y]}
shared_experts:
  - {source_model: c, positive_prompts: [z], residual_scale: -0.5}
`)
    expect(config).toMatchObject({
      gateMode: 'cheap_embed',
      dtype: 'bfloat16',
      expertsPerToken: 1,
      architecture: 'qwen',
    })
    expect(config.experts[0]).toMatchObject({ negativePrompts: ['y'], noiseScale: 0.1, residualScale: 0 })
    expect(config.sharedExperts).toMatchObject([{ model: 'c', residualScale: -0.5 }])
  })

  it('takes experts without prompts where rows are drawn, and says that prompts change nothing there', () => {
    const drawn = (mode: string) => parse(two.replaceAll(/\n +positive_prompts.*/g, '') + `gate_mode: ${mode}\n`)
    for (const mode of ['random', 'uniform_random']) expect(drawn(mode).warnings).toEqual([])
    expect(parse(`${two}gate_mode: random`).warnings).toEqual([
      "moe.yml:7:12: with 'gate_mode: random' prompts change nothing",
    ])
  })

  it('names all that is wrong, each with its place', () => {
    const text = `base_model: base
gate_modee: random
dtype: fp16
experts:
  - source_modle: a
    noise_scale: -1
  - source_model: b
    positive_prompts: code
  - source_model: c
    positive_prompts: [1]
`
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'invalid-moe-config', fault: 'usage' }))
    const message = (() => {
      try {
        parse(text)
      } catch (error) {
        return (error as Error).message
      }
      return ''
    })()
    for (const part of [
      `moe.yml:2:1: unknown key 'gate_modee'; did you mean 'gate_mode'?`,
      `moe.yml:3:8: dtype is the text 'fp16', expected 'float32', 'float16', 'bfloat16'; did you mean 'float16'?`,
      `moe.yml:5:5: unknown key 'source_modle'; did you mean 'source_model'?`,
      `experts[0].source_model is missing`,
      `moe.yml:6:18: experts[0].noise_scale is -1, expected a number, 0 or more`,
      `moe.yml:8:23: experts[1].positive_prompts is the text 'code', expected a list of texts`,
      `moe.yml:10:24: experts[2].positive_prompts[0] is 1, expected text`,
    ])
      expect(message).toContain(part)
  })

  it.each<[string, string, string]>([
    ['a list', '- a', 'the file is'],
    ['a merge', 'merge_method: linear\nbase_model: a\nexperts: []', "this is a recipe for the command 'mergekit-yaml'"],
    ['no experts', 'base_model: a', 'experts is missing'],
    ['a text for experts', 'base_model: a\nexperts: x', `experts is the text 'x'`],
    ['no base', two.replace('base_model: base\n', ''), 'base_model is missing'],
    ['an unknown gate mode', `${two}gate_mode: hiden`, `did you mean 'hidden'?`],
    [
      'no expert for a token',
      `${two}experts_per_token: 0`,
      'moe.yml:7:20: experts_per_token is 0, expected a whole number from 1 to 2',
    ],
    ['more experts for a token than there are', `${two}experts_per_token: 3`, 'from 1 to 2'],
    [
      'an expert without prompts',
      two.replace('    positive_prompts: [prose]\n', ''),
      'experts[1] needs positive_prompts',
    ],
    ['the same prompts for all', two.replace('prose', 'code'), 'all experts have the same prompts'],
    ['experts of one model', two.replace('source_model: b', 'source_model: a'), 'all experts are of a'],
    ['a model that is none', two.replace('source_model: b', `source_model: 'b@'`), `'b@' is no model reference`],
    [
      'prompts of some shared experts only',
      `${two}shared_experts:\n  - {source_model: c, positive_prompts: [x]}\n  - source_model: d\n`,
      'some of the shared experts have prompts',
    ],
    [
      'what a shared expert is not for, alone',
      `${two}shared_experts: [{source_model: c, negative_prompts: [x]}]`,
      'negative_prompts only',
    ],
    ['an architecture that is no text', `${two}architecture: 3`, 'architecture is 3'],
  ])('refuses %s', (_, text, message) => {
    expect(() => parse(text)).toThrow(message)
  })

  it('lets a person insist on experts of one model, and on unknown keys', () => {
    expect(
      parse(two.replace('source_model: b', 'source_model: a'), { allowEqualExperts: true }).config.experts,
    ).toHaveLength(2)
    expect(parse(`${two}gate_modee: random\n`, { lenient: true }).warnings).toEqual([
      `moe.yml:7:1: ignored: unknown key 'gate_modee'; did you mean 'gate_mode'?`,
    ])
  })

  it('says NaN where a number is none', () => {
    expect(() => parse(`${two}    residual_scale: .nan\n`)).toThrow(
      'experts[1].residual_scale is NaN, expected a number',
    )
  })
})
