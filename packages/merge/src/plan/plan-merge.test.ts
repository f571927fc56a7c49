import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn, prepareIn } from '../__fixtures__/merge.ts'
import { type TinyTensor, useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'
import { compareStoredHeads } from '../open/compare-stored-heads.ts'
import { unchangedVocabulary } from '../open/output-vocabulary.ts'
import { program } from '../program.ts'
import { planMerge } from './plan-merge.ts'

const folder = useFolder()
const linear = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]'

test('a method that does not exist is an error with line and nearest name', async () => {
  await writeLlamas(folder.path, { a: {} })
  const message = await expectIssue(planIn(folder.path, 'merge_method: tis\nmodels: [{model: a}]'), 'unknown-method', {
    nearest: 'ties',
  })
  expect(message).toMatch(/recipe\.yml:1:\d+: there is no merge method 'tis'; did you mean 'ties'\?/)
})

describe('a config that no recipe was checked for', () => {
  const planned = async ({ withoutBase = false, without = '' } = {}) => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const text = 'base_model: a\nmodels: [{model: b}]\nparameters: {weight: 1}\nmerge_method: ties\n'
    const { config, inputs, methods } = await prepareIn(folder.path, text)
    const { baseModel, ...others } = config
    return planMerge({ ...others, ...(!withoutBase && baseModel && { baseModel }) }, inputs, {
      text,
      program,
      methods: new Map([...methods].filter(([name]) => name !== without)),
      vocabulary: unchangedVocabulary,
      heads: compareStoredHeads(inputs, config),
      seed: 0,
      shardBytes: 2 ** 30,
      copyTokenizer: false,
      writeModelCard: false,
      name: undefined,
      allowMixedArchitectures: false,
      lenient: false,
    })
  }

  test('with a method that does not exist names the line', async () => {
    const message = await expectIssue(planned({ without: 'ties' }), 'unknown-method')
    expect(message).toContain('recipe.yml:4:15: ')
  })

  test('without the base that the method needs is refused', async () => {
    await expectIssue(planned({ withoutBase: true }), 'base-required', { method: 'ties' })
  })

  test('as it should be is planned', async () => {
    expect((await planned()).tensors.length).toBeGreaterThan(0)
  })
})

test('the base of a slice that is not there is an error with its line', async () => {
  await writeLlamas(folder.path, { a: {} })
  const recipe =
    'merge_method: slerp\nparameters: {t: 0.5}\nslices:\n- base_model: ./none\n  sources: [{model: a, layer_range: [0, 1]}]\n'
  await expect(planIn(folder.path, recipe)).rejects.toThrow(/recipe\.yml:4:15: .*none/)
})

test('a method of a module is loaded from beside the recipe', async () => {
  await writeLlamas(folder.path, { a: {} })
  const { builtinMethods } = await import('@mk/methods')
  const asked: string[] = []
  const loadMethod = async (module: string, at: string) => {
    asked.push(module, at)
    return builtinMethods.get('passthrough')!
  }
  const plan = await planIn(folder.path, 'merge_method: ./mine.mjs\nmodels: [{model: a}]', {
    loadMethod,
    allowCode: true,
  })
  expect(asked).toEqual(['./mine.mjs', folder.path])
  expect(plan.method).toBe('./mine.mjs')
})

test('the same recipe gives the same plan', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  expect(await planIn(folder.path, linear)).toEqual(JSON.parse(JSON.stringify(await planIn(folder.path, linear))))
})

describe('models of different architectures', () => {
  const biased = {
    config: { architectures: ['Qwen2ForCausalLM'] },
    extra: { 'model.layers.0.self_attn.q_proj.bias': { shape: [4] } },
  }

  test('are refused by name', async () => {
    await writeLlamas(folder.path, { a: {}, b: biased })
    const message = await expectIssue(planIn(folder.path, linear), 'mixed-architectures')
    expect(message).toContain('a is LlamaForCausalLM, b is Qwen2ForCausalLM')
  })

  test('merge where that is allowed; what the donor lacks is left out and named', async () => {
    await writeLlamas(folder.path, { a: {}, b: biased })
    const { tensors, plan } = await mergeIn(folder.path, linear, { prepare: { allowMixedArchitectures: true } })
    expect(Object.keys(tensors)).not.toContain('model.layers.0.self_attn.q_proj.bias')
    expect(plan.notes).toEqual(['b: model.layers.0.self_attn.q_proj.bias not used'])
  })

  test('are an error also then, where another model lacks what the donor has', async () => {
    await writeLlamas(folder.path, { a: biased, b: {} })
    await expectIssue(
      planIn(folder.path, linear, { prepare: {}, allowMixedArchitectures: true } as object),
      'missing-tensor',
    )
  })

  test('may be told to be of one', async () => {
    await writeLlamas(folder.path, { a: {}, b: { config: { architectures: ['MyLlama'] } } })
    const plan = await planIn(
      folder.path,
      linear.replace('{model: b}', '{model: {model: {path: b}, override_architecture: LlamaForCausalLM}}'),
    )
    expect(plan.tensors).toHaveLength(9)
  })

  test('may give a tokenizer to one another', async () => {
    await writeLlamas(folder.path, { a: {}, b: { config: { architectures: ['Other'] } } })
    await expect(
      planIn(folder.path, 'merge_method: linear\ntokenizer_source: b\nmodels: [{model: a, parameters: {weight: 1}}]'),
    ).rejects.toMatchObject({ name: 'TokenizerError' })
  })
})

const stackOf = (prefix: string, layers: number): Record<string, TinyTensor> =>
  Object.fromEntries(
    Array.from({ length: layers }, (_, layer) =>
      ['q_proj', 'k_proj'].map((part) => [`${prefix}.${layer}.${part}.weight`, { shape: [4, 4] }] as const),
    ).flat(),
  )
const vision = (seed: number) => ({
  seed,
  config: {
    architectures: ['SeeingLlama'],
    model_type: 'llava',
    text_config: { num_hidden_layers: 2, vocab_size: 6 },
    vision_config: { num_hidden_layers: 3 },
  },
  tensors: {
    'language_model.model.embed_tokens.weight': { shape: [6, 4] },
    ...stackOf('language_model.model.layers', 2),
    'language_model.lm_head.weight': { shape: [6, 4] },
    ...stackOf('vision_tower.encoder.layers', 3),
    'multi_modal_projector.linear.weight': { shape: [4, 4] },
  },
})
const text = {
  seed: 9,
  config: { architectures: ['LlamaForCausalLM'], model_type: 'llama' },
  tensors: {
    'model.embed_tokens.weight': { shape: [6, 4] },
    ...stackOf('model.layers', 2),
    'lm_head.weight': { shape: [6, 4] },
  },
}
const originsOf = async (recipe: string, options = {}) => {
  const plan = await planIn(folder.path, recipe, options)
  return { plan, kinds: new Map(plan.tensors.map(({ name, operation }) => [name, operation.kind])) }
}

describe('models with several modules', () => {
  test('merge module by module', async () => {
    await writeModel(`${folder.path}/a`, vision(1))
    await writeModel(`${folder.path}/b`, vision(2))
    const { kinds, plan } = await originsOf(linear)
    expect(new Set(kinds.values())).toEqual(new Set(['merge']))
    expect(plan.notes).toEqual([])
  })

  test('keep of the donor what the recipe does not name', async () => {
    await writeModel(`${folder.path}/a`, vision(1))
    await writeModel(`${folder.path}/b`, vision(2))
    const modules = 'modules: {language_model: {models: [{model: a}, {model: b}]}}'
    const { kinds, plan } = await originsOf(`merge_method: linear\nparameters: {weight: 1}\n${modules}`)
    expect(kinds.get('language_model.model.layers.1.q_proj.weight')).toBe('merge')
    expect(kinds.get('vision_tower.encoder.layers.2.q_proj.weight')).toBe('copy')
    expect(plan.notes).toEqual([
      'the config says nothing of module vision_tower; it is taken from a',
      'the config says nothing of module multi_modal_projector; it is taken from a',
      'b: layers 0–2 of vision_tower not used',
      'b: multi_modal_projector.linear.weight not used',
    ])
  })

  test('have slices module by module', async () => {
    await writeModel(`${folder.path}/a`, vision(1))
    await expectIssue(
      planIn(folder.path, 'merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [0, 2]}]}]'),
      'ambiguous-module',
      { known: ['language_model', 'vision_tower', 'multi_modal_projector'] },
    )
    const plan = await planIn(
      folder.path,
      'merge_method: passthrough\nmodules:\n  language_model:\n    slices: [{sources: [{model: a}]}, {sources: [{model: a}]}]',
    )
    expect(JSON.parse(plan.documents.find(({ name }) => name === 'config.json')!.text)).toMatchObject({
      text_config: { num_hidden_layers: 4 },
      vision_config: { num_hidden_layers: 3 },
    })
  })

  test('are named by names that exist', async () => {
    await writeModel(`${folder.path}/a`, vision(1))
    const message = await expectIssue(
      planIn(folder.path, 'merge_method: passthrough\nmodules: {audio: {models: [{model: a}]}}'),
      'unknown-module',
      { module: 'audio' },
    )
    expect(message).toContain(
      `the models have no module 'audio', only 'language_model', 'vision_tower', 'multi_modal_projector'`,
    )
  })

  test('are named once', async () => {
    await writeModel(`${folder.path}/a`, vision(1))
    const models = '{models: [{model: a}]}'
    await expectIssue(
      planIn(folder.path, `merge_method: passthrough\nmodules: {language_model: ${models}, text_decoder: ${models}}`),
      'module-twice',
      { names: ['language_model', 'text_decoder'] },
    )
  })

  test('merge their language part with a text model, either of them giving the config', async () => {
    await writeModel(`${folder.path}/a`, vision(1))
    await writeModel(`${folder.path}/b`, text)
    const seeing = await originsOf(`missing: base\n${linear}`)
    expect(seeing.kinds.get('language_model.model.layers.1.q_proj.weight')).toBe('merge')
    expect(seeing.kinds.get('vision_tower.encoder.layers.1.q_proj.weight')).toBe('copy')
    expect(seeing.plan.notes).toEqual([
      'b is a text model with the layers of the language part of a: only that part is merged, and what b lacks is taken from a',
      'b has no module vision_tower; it is taken from a',
      'b has no module multi_modal_projector; it is taken from a',
    ])
    const reading = await originsOf(
      `missing: base\n${linear.replace('{model: a}, {model: b}', '{model: b}, {model: a}')}`,
    )
    expect([...reading.kinds.keys()]).toEqual([
      'model.embed_tokens.weight',
      ...Object.keys(stackOf('model.layers', 2)),
      'lm_head.weight',
    ])
    expect(reading.plan.notes).toEqual([
      'b is a text model with the layers of the language part of a: only that part is merged',
      'a: layers 0–2 of vision_tower not used',
      'a: multi_modal_projector.linear.weight not used',
    ])
  })

  test('are an error where a named module is missing in one', async () => {
    await writeModel(`${folder.path}/a`, vision(1))
    await writeModel(`${folder.path}/b`, text)
    const modules = 'modules: {vision_tower: {models: [{model: a}, {model: b}]}}'
    await expectIssue(
      planIn(folder.path, `merge_method: linear\nmissing: base\nparameters: {weight: 1}\n${modules}`),
      'unknown-module',
      { model: 'b' },
    )
  })
})

test('layers that config.json tells apart by their number are noted when they move', async () => {
  await writeLlamas(folder.path, { a: { config: { sliding_window_pattern: 3 } } })
  const plan = await planIn(
    folder.path,
    'merge_method: passthrough\nslices: [{sources: [{model: a}]}, {sources: [{model: a}]}]',
  )
  expect(plan.notes[0]).toContain(`config.json decides by a layer's number what it is (sliding_window_pattern)`)
})

test('a layer count that contradicts the tensors is noted', async () => {
  await writeLlamas(folder.path, { a: { config: { num_hidden_layers: 7 } } })
  const plan = await planIn(folder.path, 'merge_method: passthrough\nmodels: [{model: a}]')
  expect(plan.notes).toEqual(['a: model.layers: config.json says 7 layers (num_hidden_layers), the tensors number 2'])
})
