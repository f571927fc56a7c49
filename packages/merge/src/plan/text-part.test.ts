import { join } from 'node:path'
import { describeCheckpoint } from '@mk/architecture'
import { type FamilyFixture, familyFixtures } from '@mk/architecture/fixtures'
import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn } from '../__fixtures__/merge.ts'
import { type TinyModel, type TinyTensor, useFolder, writeModel } from '../__fixtures__/models.ts'
import { operationInputs } from './merge-plan.ts'

const folder = useFolder()

/** The text models that vision and audio models were made from: class, and what config.json calls the part. */
const textModels: Readonly<Record<string, readonly [type: string, architecture: string, part?: string]>> = {
  llava: ['llama', 'LlamaForCausalLM', 'llama'],
  'llava-new-names': ['llama', 'LlamaForCausalLM', 'llama'],
  'llava-defaults-unwritten': ['llama', 'LlamaForCausalLM'],
  mistral3: ['mistral', 'MistralForCausalLM', 'mistral'],
  gemma3: ['gemma3_text', 'Gemma3ForCausalLM', 'gemma3_text'],
  paligemma: ['gemma', 'GemmaForCausalLM', 'gemma'],
  llama4: ['llama4_text', 'Llama4ForCausalLM', 'llama4_text'],
  qwen2_vl: ['qwen2', 'Qwen2ForCausalLM', 'qwen2_vl_text'],
  qwen2_5_vl: ['qwen2', 'Qwen2ForCausalLM', 'qwen2_5_vl_text'],
  qwen3_vl: ['qwen3', 'Qwen3ForCausalLM', 'qwen3_vl_text'],
  qwen3_vl_moe: ['qwen3_moe', 'Qwen3MoeForCausalLM', 'qwen3_vl_moe_text'],
  mllama: ['llama', 'LlamaForCausalLM', 'mllama_text_model'],
  gemma3n: ['gemma3n_text', 'Gemma3nForCausalLM', 'gemma3n_text'],
  internvl_chat: ['internlm2', 'InternLM2ForCausalLM'],
  phi3_v: ['phi3', 'Phi3ForCausalLM'],
  idefics3: ['llama', 'LlamaForCausalLM', 'llama'],
  qwen2_audio: ['qwen2', 'Qwen2ForCausalLM', 'qwen2'],
  'blip-2': ['opt', 'OPTForCausalLM', 'opt'],
}

const withPart = (config: FamilyFixture['config'], part: string | undefined) =>
  part === undefined ? config : { ...config, text_config: { ...(config['text_config'] as object), model_type: part } }
const shaped = (entries: readonly (readonly [string, readonly number[]])[]): Record<string, TinyTensor> =>
  Object.fromEntries(entries.map(([name, shape]) => [name, { shape }]))

/** What of a fixture the text model has, by the names that it has there; layers that attend to images are not in it. */
function textOf({
  tensors,
  config,
}: FamilyFixture): readonly (readonly [text: string, whole: string, readonly number[]])[] {
  const part = describeCheckpoint(tensors, config).modules.find(({ kind }) => kind === 'language')!
  const ofImages = new Set(part.tensors.filter(({ name }) => name.includes('cross_attn')).map(({ layer }) => layer))
  const layers = [...Array(part.layerCount).keys()].filter((layer) => !ofImages.has(layer))
  return part.tensors.flatMap(({ name, layer, template, shape }) => {
    if (layer !== undefined && ofImages.has(layer)) return []
    const own = layer === undefined ? name : template.replace('{layer}', String(layers.indexOf(layer)))
    const text = own.replace(/^language_model\./, '').replace(/^model\.(?:language_model|text_model)\./, 'model.')
    return [[text, name, shape] as const]
  })
}

async function writePair(fixture: FamilyFixture): Promise<ReturnType<typeof textOf>> {
  const [type, architecture, part] = textModels[fixture.family]!
  const whole: TinyModel = {
    config: withPart(fixture.config, part),
    tensors: shaped(fixture.tensors.map(({ name, shape }) => [name, shape])),
  }
  const names = textOf(fixture)
  const layerCount = new Set(names.flatMap(([text]) => /\.layers\.(\d+)\./.exec(text)?.[1] ?? [])).size
  const text: TinyModel = {
    config: {
      model_type: type,
      architectures: [architecture],
      num_hidden_layers: layerCount,
      vocab_size: 12,
      tie_word_embeddings: fixture.expected.tied,
    },
    tensors: shaped(names.map(([name, , shape]) => [name, shape])),
    seed: 2,
  }
  await writeModel(join(folder.path, 'whole'), whole)
  await writeModel(join(folder.path, 'text'), text)
  return names
}
const linear = (...models: readonly string[]) =>
  `merge_method: linear\nmissing: base\nparameters: {weight: 1}\nmodels: [${models.map((model) => `{model: ${model}}`).join(', ')}]`

describe.each(familyFixtures.filter(({ family }) => family in textModels))('$family and its text model', (fixture) => {
  test('merge tensor by tensor; what the text model lacks is the whole’s', async () => {
    const names = await writePair(fixture)
    const { plan } = await mergeIn(folder.path, linear('whole', 'text'))
    const merged = new Map(plan.tensors.map(({ name, operation }) => [name, operationInputs(operation)]))
    for (const [, whole] of names)
      expect([whole, merged.get(whole)!.map(({ input }) => input)]).toEqual([whole, [0, 1]])
    const others = fixture.tensors.map(({ name }) => name).filter((name) => !names.some(([, whole]) => whole === name))
    for (const name of others) expect([name, merged.get(name)!.map(({ input }) => input)]).toEqual([name, [0]])
    expect(merged.size).toBe(fixture.tensors.length)
    expect(plan.notes[0]).toMatch(/^text is a text model with the layers of the language part of whole/)
    expect(plan.documents.find(({ name }) => name === 'README.md')!.text).toContain('text is a text model with')
  })

  test.skipIf(fixture.family === 'mllama')('merge into the text model where that gives the config', async () => {
    const names = await writePair(fixture)
    const plan = await planIn(folder.path, linear('text', 'whole'))
    expect(plan.tensors.map(({ name }) => name).toSorted()).toEqual(names.map(([text]) => text).toSorted())
    for (const { operation } of plan.tensors) expect(operationInputs(operation)).toHaveLength(2)
    expect(plan.notes[0]).toMatch(/only that part is merged$/)
  })
})

describe('a vision model and a text model', () => {
  const fixture = familyFixtures.find(({ family }) => family === 'llava-new-names')!
  const config = withPart(fixture.config, 'llama')
  const whole: TinyModel = { config, tensors: shaped(fixture.tensors.map(({ name, shape }) => [name, shape])) }
  const names = textOf(fixture)
  const llama = { model_type: 'llama', architectures: ['LlamaForCausalLM'], num_hidden_layers: 2, vocab_size: 12 }
  const write = async (text: Partial<TinyModel>, other: TinyModel = whole) => {
    await writeModel(join(folder.path, 'whole'), other)
    const tensors = shaped(names.map(([name, , shape]) => [name, shape]))
    await writeModel(join(folder.path, 'text'), { config: llama, tensors, seed: 2, ...text })
  }
  const tensors = (
    change: (entries: (readonly [string, readonly number[]])[]) => readonly (readonly [string, readonly number[]])[],
  ) => shaped(change(names.map(([name, , shape]) => [name, shape])))

  test.each<[string, Partial<TinyModel>]>([
    [
      'of another family by config.json',
      { config: { ...llama, model_type: 'mistral', architectures: ['MistralForCausalLM'] } },
    ],
    [
      'with a bias that the part lacks',
      { tensors: tensors((all) => [...all, ['model.layers.0.self_attn.q_proj.bias', [4]]]) },
    ],
    [
      'without a matrix that the part has',
      { tensors: tensors((all) => all.filter(([name]) => !name.includes('up_proj'))) },
    ],
    [
      'with a matrix of another shape',
      {
        tensors: tensors((all) => all.map(([name, shape]) => [name, name.includes('1.mlp.up_proj') ? [6, 4] : shape])),
      },
    ],
    ['with fewer layers', { tensors: tensors((all) => all.filter(([name]) => !name.includes('layers.1.'))) }],
  ])('%s are refused', async (_, text) => {
    await write(text)
    await expectIssue(planIn(folder.path, linear('whole', 'text')), 'mixed-architectures')
    await expectIssue(planIn(folder.path, linear('text', 'whole')), 'mixed-architectures')
  })

  test('are refused, with the way out, where the recipe does not ask for it; a flag asks, too', async () => {
    await write({})
    for (const [first, second] of [
      ['whole', 'text'],
      ['text', 'whole'],
    ] as const) {
      const recipe = linear(first, second).replace('missing: base', 'missing: skip')
      const message = await expectIssue(planIn(folder.path, recipe), 'mixed-architectures')
      expect(message).toContain("write 'missing: base' into the recipe to merge text with the language part")
      const asked = await planIn(folder.path, linear(first, second))
      const allowed = await planIn(folder.path, recipe.replace('missing: skip\n', ''), {
        allowMixedArchitectures: true,
      })
      expect(allowed.tensors).toEqual(asked.tensors)
    }
  })

  const ofOneLayer: TinyModel = {
    ...whole,
    tensors: Object.fromEntries(
      Object.entries(whole.tensors).filter(([name]) => !/vision_tower.*\.layers\.[1-9]/.test(name)),
    ),
    config: { ...config, vision_config: { ...(config['vision_config'] as object), num_hidden_layers: 1 } },
  }

  test.each([
    ['', whole],
    [', also of a tower of a single layer', ofOneLayer],
  ])('of fewer tokens keep the rows that only the whole has%s', async (_, other) => {
    expect(Object.keys(ofOneLayer.tensors).length).toBeLessThan(Object.keys(whole.tensors).length)
    await write(
      {
        tensors: tensors((all) => all.map(([name, shape]) => [name, shape[0] === 12 ? [10, 4] : shape])),
        config: { ...llama, vocab_size: 10 },
      },
      other,
    )
    const { tensors: merged, plan } = await mergeIn(folder.path, linear('whole', 'text'))
    const { tensors: own } = await mergeIn(folder.path, 'merge_method: passthrough\nmodels: [{model: whole}]', {
      out: join(folder.path, 'own'),
    })
    for (const name of ['model.language_model.embed_tokens.weight', 'lm_head.weight']) {
      expect(merged[name]!.shape).toEqual([12, 4])
      expect(merged[name]!.values.slice(40)).toEqual(own[name]!.values.slice(40))
      expect(merged[name]!.values.slice(0, 40)).not.toEqual(own[name]!.values.slice(0, 40))
      expect(plan.notes).toContain(
        `${name} of text: rows 10 to 11, which text as a text model lacks, are taken from whole`,
      )
    }
    expect(JSON.parse(plan.documents.find(({ name }) => name === 'config.json')!.text)).toMatchObject({
      text_config: { vocab_size: 12 },
    })
  })

  test('merge by task vectors, whichever is the base, and by named modules', async () => {
    await write({})
    await writeModel(join(folder.path, 'tuned'), { config: llama, tensors: tensors((all) => all), seed: 3 })
    const ties = (base: string, ...models: readonly string[]) =>
      `merge_method: ties\nmissing: base\nbase_model: ${base}\nparameters: {weight: 1}\nmodels: [${models.map((model) => `{model: ${model}}`).join(', ')}]`
    expect((await planIn(folder.path, ties('whole', 'text', 'tuned'))).tensors).toHaveLength(fixture.tensors.length)
    expect((await planIn(folder.path, ties('text', 'whole', 'tuned'))).tensors).toHaveLength(names.length)
    const byName =
      'merge_method: slerp\nmissing: base\nbase_model: whole\nparameters: {t: 0.5}\nmodules: {text_decoder: {models: [{model: whole}, {model: text}]}}'
    const plan = await planIn(folder.path, byName)
    expect(plan.tensors.filter(({ operation }) => operation.kind === 'merge')).toHaveLength(names.length)
  })

  test('of which only the text model has a head, name it as the vision model would', async () => {
    const older = familyFixtures.find(({ family }) => family === 'paligemma')!
    const part = withPart(older.config, 'gemma')
    await writeModel(join(folder.path, 'whole'), {
      config: part,
      tensors: shaped(older.tensors.map(({ name, shape }) => [name, shape])),
    })
    const head = ['lm_head.weight', [12, 4]] as const
    await writeModel(join(folder.path, 'text'), {
      config: { ...llama, model_type: 'gemma', architectures: ['GemmaForCausalLM'], tie_word_embeddings: false },
      tensors: shaped([...textOf(older).map(([name, , shape]) => [name, shape] as const), head]),
      seed: 2,
    })
    const { tensors: planned } = await planIn(folder.path, linear('whole', 'text'))
    expect(planned.map(({ name }) => name).filter((name) => name.includes('head'))).toEqual([
      'language_model.lm_head.weight',
    ])
  })

  test('are not meant where an encoder meets the encoder and decoder that it is of', async () => {
    const fixture = familyFixtures.find(({ family }) => family === 't5')!
    await writeModel(join(folder.path, 'whole'), {
      config: fixture.config,
      tensors: shaped(fixture.tensors.map(({ name, shape }) => [name, shape])),
    })
    await writeModel(join(folder.path, 'text'), {
      config: { ...fixture.config, architectures: ['T5EncoderModel'] },
      tensors: shaped(
        fixture.tensors.filter(({ name }) => /^(encoder|shared)/.test(name)).map(({ name, shape }) => [name, shape]),
      ),
    })
    await expectIssue(planIn(folder.path, linear('whole', 'text')), 'mixed-architectures')
  })
})
