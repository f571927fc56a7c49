import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectIssue } from '../__fixtures__/merge.ts'
import { loadFolder, readJson, type TinyModel, tinyLlama, useFolder, writeModel } from '../__fixtures__/models.ts'
import { runMerge } from '../node/run-merge.ts'
import { prepareFill } from './prepare-fill.ts'

const folder = useFolder()
const at = (name: string) => join(folder.path, name)

/** A model with the tensors of a text model under a prefix, its head at the top, and a tower beside it. */
const seeing = (text: TinyModel, prefix = 'model.language_model.'): TinyModel => ({
  ...text,
  config: {
    model_type: 'seeing',
    architectures: ['SeeingForConditionalGeneration'],
    torch_dtype: 'float32',
    text_config: text.config,
  },
  tensors: {
    'model.visual.patch_embed.weight': { shape: [2, 3] },
    ...Object.fromEntries(
      Object.entries(text.tensors).map(([name, tensor]) => [name.replace(/^model\./, prefix), tensor]),
    ),
  },
  files: { 'preprocessor_config.json': '{}' },
})

const fill = async (options: { prefix?: string; shardBytes?: number; outDtype?: string } = {}) => {
  const { prefix, ...settings } = options
  const prepared = await prepareFill({ whole: at('whole'), part: at('part'), ...(prefix && { prefix }) }, settings)
  await runMerge(await prepared.download(), { out: at('out'), methods: prepared.methods, threads: 0 })
  return { prepared, tensors: await loadFolder(at('out')) }
}

describe('prepareFill', () => {
  test.each(['model.language_model.', 'language_model.model.', 'model.'])('puts the part into %s', async (prefix) => {
    await writeModel(at('whole'), seeing(tinyLlama({ seed: 1 }), prefix))
    await writeModel(at('part'), tinyLlama({ seed: 2 }))
    const { tensors, prepared } = await fill()
    const [whole, part] = [await loadFolder(at('whole')), await loadFolder(at('part'))]
    expect(Object.keys(tensors)).toEqual(Object.keys(whole))
    expect(tensors['model.visual.patch_embed.weight']).toEqual(whole['model.visual.patch_embed.weight'])
    for (const [name, tensor] of Object.entries(part)) expect(tensors[name.replace(/^model\./, prefix)]).toEqual(tensor)
    expect(await readJson(at('out/config.json'))).toEqual(await readJson(at('whole/config.json')))
    expect(await readJson(at('out/preprocessor_config.json'))).toEqual({})
    expect(prepared.plan.notes[0]).toMatch(
      /^9 tensors of .*part take their places in .*whole, such as .*; 1 other stays$/,
    )
    expect(prepared.warnings).toEqual([])
  })

  test('writes an index that fits where there are several files', async () => {
    await writeModel(at('whole'), seeing(tinyLlama({ seed: 1 })))
    await writeModel(at('part'), tinyLlama({ seed: 2 }))
    const { tensors } = await fill({ shardBytes: 200 })
    const index = await readJson(at('out/model.safetensors.index.json'))
    expect(Object.keys(index['weight_map'] as object).toSorted()).toEqual(Object.keys(tensors).toSorted())
  })

  test('keeps the dtypes of the larger model, unless told otherwise', async () => {
    await writeModel(at('whole'), seeing(tinyLlama({ dtype: 'BF16' })))
    await writeModel(at('part'), tinyLlama({ seed: 2 }))
    const norm = 'model.language_model.norm.weight'
    expect((await fill()).tensors[norm]?.dtype).toBe('BF16')
    const prepared = await prepareFill({ whole: at('whole'), part: at('part') }, { outDtype: 'float16' })
    expect(new Set(prepared.plan.tensors.map(({ dtype }) => dtype))).toEqual(new Set(['F16']))
    const config = prepared.plan.documents.find(({ name }) => name === 'config.json')!
    expect(JSON.parse(config.text)).toMatchObject({ torch_dtype: 'float16' })
  })

  test('names what has no place', async () => {
    await writeModel(at('whole'), seeing(tinyLlama()))
    const bias = 'model.layers.0.self_attn.q_proj.bias'
    await writeModel(at('part'), tinyLlama({ seed: 2, extra: { [bias]: { shape: [4] } } }))
    const { prepared } = await fill()
    expect(prepared.warnings).toEqual([`${bias} of ${at('part')} has no place in ${at('whole')}, and is left out`])
  })

  test('writes the embedding of a tied part as the head of a larger model that has its own', async () => {
    await writeModel(at('whole'), seeing(tinyLlama()))
    await writeModel(at('part'), tinyLlama({ seed: 2, tied: true }))
    const { tensors } = await fill()
    expect(tensors['lm_head.weight']?.values).toEqual(tensors['model.language_model.embed_tokens.weight']?.values)
  })

  test('tells of what is past the dtype of the larger model, or refuses it', async () => {
    await writeModel(at('whole'), seeing(tinyLlama({ dtype: 'F16' })))
    const norm = { 'model.norm.weight': { shape: [4], value: (i: number) => (i === 2 ? 1e5 : 1) } }
    await writeModel(at('part'), tinyLlama({ extra: norm }))
    const found = { tensor: 'model.language_model.norm.weight', dtype: 'F16', inputs: [], results: 1, overflow: 1 }
    const prepared = await prepareFill({ whole: at('whole'), part: at('part') }, {})
    const options = { out: at('out'), methods: prepared.methods, threads: 0 }
    expect((await runMerge(prepared.plan, options)).nonFinite).toEqual([found])
    const strict = runMerge(prepared.plan, { ...options, out: at('strict'), strict: true })
    await expectIssue(strict, 'values-not-finite', {
      found: 'model.language_model.norm.weight: 1 in the result, by overflow (float16 ends at 65504)',
    })
  })

  test('refuses other sizes, and names them', async () => {
    await writeModel(at('whole'), seeing(tinyLlama({ rows: 8 })))
    await writeModel(at('part'), tinyLlama())
    const message = await expectIssue(fill(), 'fill-sizes')
    expect(message).toContain(
      'model.embed_tokens.weight is [6, 4], expected [8, 4] as model.language_model.embed_tokens.weight',
    )
  })

  test('refuses a part without a place, and a prefix that leads nowhere', async () => {
    await writeModel(at('whole'), seeing(tinyLlama()))
    await writeModel(at('part'), { config: {}, tensors: { 'a.b.c': { shape: [1] } } })
    await expectIssue(fill(), 'fill-no-place')
    await writeModel(at('part'), tinyLlama())
    expect(await expectIssue(fill({ prefix: 'text' }), 'fill-no-place')).toContain("under 'text'")
  })

  test('refuses integers for floats', async () => {
    await writeModel(at('whole'), seeing(tinyLlama()))
    const norm = { 'model.norm.weight': { dtype: 'I32' as const, shape: [4] } }
    await writeModel(at('part'), tinyLlama({ extra: norm }))
    await expectIssue(fill(), 'fill-dtypes')
  })
})
