import { parameterNames, defineMethod, builtinMethods, z } from '@mk/methods'
import type { RowParameters } from '@mk/config'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { prepareIn } from './__fixtures__/merge.ts'
import { useFolder, writeLlamas } from './__fixtures__/models.ts'
import { embeddingSettings } from './plan/plan-parameters.ts'
import { prepareMerge } from './node/prepare-merge.ts'
import type { Recipe } from './recipe.ts'

const folder = useFolder()
const roots = () => ({ roots: [folder.path] })
const model = 'a'

const own = defineMethod({
  name: 'halfway',
  summary: 'A step.',
  base: 'required',
  models: { min: 1, max: 1 },
  parameters: {
    perModel: { strength: z.number().default(1) },
    methodWide: { by: z.enum(['row', 'column']).default('row') },
  },
  merge: ({ base }) => base!,
})

describe('the type of a recipe', () => {
  test('knows every method and its parameters', () => {
    expectTypeOf<Extract<Recipe['merge_method'], 'linear' | 'sce' | 'ramplus_tl'>>().toEqualTypeOf<
      'linear' | 'sce' | 'ramplus_tl'
    >()
    const recipes: Recipe[] = [
      { merge_method: 'linear', models: [{ model, parameters: { weight: 1 } }] },
      {
        merge_method: 'dare_ties',
        base_model: { model: { path: 'a+b', revision: 'main' }, lora: ['c'] },
        models: [
          { model, parameters: { weight: [0, 0.5, 1], density: [{ filter: 'mlp', value: [0, 1] }, { value: 1 }] } },
        ],
        parameters: { consensus_method: { value: 'count' }, rescale: false },
        dtype: 'bfloat16',
        tokenizer: { source: 'union', tokens: { '<x>': { source: { kind: 'zero' }, force: true }, '<y>': null } },
      },
      {
        merge_method: 'slerp',
        slices: [{ sources: [{ model, layer_range: [0, 1] }, { model: 'b' }], base_model: 'b', parameters: { t: 1 } }],
        out_dtype: 'q8_0',
        out_format: 'gguf',
        missing: 'base',
      },
      { merge_method: 'linear', modules: { text: { models: [{ model }], parameters: { weight: 1 } } } },
      {
        merge_method: 'passthrough',
        models: [{ model }],
        tokenizer_source: 'base',
        parameters: { embed_slerp: true, t: 0 },
      },
      { merge_method: './own.mjs', models: [{ model, parameters: { boldness: [1, 2] } }] },
    ]
    expect(recipes).toHaveLength(6)
  })

  test('refuses what is misspelled, missing or of another kind', () => {
    const recipes: Recipe[] = [
      // @ts-expect-error -- no such method
      { merge_method: 'tiez', base_model: 'b', models: [{ model }] },
      // @ts-expect-error -- no such parameter
      { merge_method: 'ties', base_model: 'b', models: [{ model, parameters: { wieght: 1 } }] },
      // @ts-expect-error -- the parameter of another method
      { merge_method: 'slerp', base_model: 'b', models: [{ model, parameters: { weight: 1 } }] },
      // @ts-expect-error -- a text for a number
      { merge_method: 'linear', models: [{ model, parameters: { weight: 'high' } }] },
      // @ts-expect-error -- a gradient of what is no number
      { merge_method: 'ties', base_model: 'b', models: [{ model }], parameters: { normalize: [true, false] } },
      // @ts-expect-error -- no such choice
      { merge_method: 'ties', base_model: 'b', models: [{ model }], parameters: { consensus_method: 'summ' } },
      // @ts-expect-error -- a base is missing
      { merge_method: 'ties', models: [{ model }] },
      // @ts-expect-error -- models and slices
      { merge_method: 'linear', models: [{ model }], slices: [{ sources: [{ model }] }] },
      // @ts-expect-error -- no models
      { merge_method: 'linear' },
      // @ts-expect-error -- a layer range outside of slices
      { merge_method: 'linear', models: [{ model, layer_range: [0, 1] }] },
      // @ts-expect-error -- a dtype of another spelling
      { merge_method: 'linear', models: [{ model }], dtype: 'bf16' },
      // @ts-expect-error -- a key that is none
      { merge_method: 'linear', models: [{ model }], parmeters: {} },
      // @ts-expect-error -- both tokenizer settings
      { merge_method: 'linear', models: [{ model }], tokenizer: {}, tokenizer_source: 'base' },
      // @ts-expect-error -- nobody said what this method is
      { merge_method: 'halfway', base_model: 'b', models: [{ model }] },
    ]
    expect(recipes).toHaveLength(14)
  })

  test('takes a method of one’s own, with the parameters of its schemas', () => {
    const recipes: Recipe<typeof own>[] = [
      { merge_method: 'halfway', base_model: 'b', models: [{ model, parameters: { strength: [0, 1] } }] },
      { merge_method: 'halfway', base_model: 'b', models: [{ model }], parameters: { by: 'column' } },
      { merge_method: 'linear', models: [{ model, parameters: { weight: 1 } }] },
      // @ts-expect-error -- no such choice
      { merge_method: 'halfway', base_model: 'b', models: [{ model }], parameters: { by: 'diagonal' } },
      // @ts-expect-error -- no such parameter
      { merge_method: 'halfway', base_model: 'b', models: [{ model, parameters: { strenght: 1 } }] },
    ]
    expect(recipes).toHaveLength(5)
  })

  test('has what rows of embeddings are averaged by', () => {
    const names: Record<keyof RowParameters, true> = { weight: true, embed_slerp: true, t: true }
    expect(parameterNames(embeddingSettings)).toEqual(Object.keys(names))
  })
})

describe('a recipe as an object', () => {
  test('gives the plan of its YAML', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const recipe: Recipe = {
      merge_method: 'slerp',
      slices: [
        {
          sources: [
            { model: 'a', layer_range: [0, 2] },
            { model: 'b', layer_range: [0, 2] },
          ],
        },
      ],
      base_model: 'a',
      parameters: { t: [{ filter: 'self_attn', value: [0, 1] }, { value: 0.5 }] },
      dtype: 'bfloat16',
    }
    const { plan, warnings } = await prepareMerge({ recipe, ...roots() })
    const text = plan.documents.find(({ name }) => name === 'mergekit_config.yml')!.text
    expect(text).toContain('t:\n')
    const other = await prepareIn(folder.path, text)
    expect(plan).toEqual(other.plan)
    expect(warnings).toEqual(other.warnings)
    expect(recipe.base_model).toBe('a')
  })

  test('is told by its paths what is wrong with it', async () => {
    const recipe = {
      merge_method: 'ties',
      slices: [{ sources: [{ model: 'a' }, { model: 'b', parameters: { density: 'high' } }] }],
      base_model: 'c',
      parameters: { weight: 1, wieght: 1 },
    }
    await expect(prepareMerge({ recipe: recipe as unknown as Recipe, ...roots() })).rejects.toThrow(
      /slices\[0\]\.sources\[1\]\.parameters\.density: .*\n.*parameters\.wieght: /s,
    )
  })

  test('is told by its paths which model is not there', async () => {
    const recipe: Recipe = { merge_method: 'linear', models: [{ model: './nowhere' }], parameters: { weight: 1 } }
    await expect(prepareMerge({ recipe, ...roots() })).rejects.toThrow('models[0].model')
  })

  test('is refused with a token in it', async () => {
    const recipe: Recipe = {
      merge_method: 'linear',
      models: [{ model: 'a', parameters: { weight: 1 } }],
      chat_template: `hf_${'a'.repeat(34)}`,
    }
    await expect(prepareMerge({ recipe, ...roots() })).rejects.toMatchObject({
      issue: { code: 'recipe-token', where: 'chat_template' },
    })
  })

  test('is given up where a signal fires, with its reason', async () => {
    await writeLlamas(folder.path, { a: {} })
    const recipe: Recipe = { merge_method: 'linear', models: [{ model: 'a' }], parameters: { weight: 1 } }
    const controller = new AbortController()
    const { signal } = controller
    const onPlan = () => controller.abort('enough')
    await expect(prepareMerge({ recipe, signal, onPlan, ...roots() })).rejects.toBe('enough')
    const onActivity = () => expect.unreachable()
    await expect(prepareMerge({ recipe, signal, hub: { onActivity }, ...roots() })).rejects.toBe('enough')
  })

  test('may name a method of one’s own', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const methods = new Map([...builtinMethods, [own.name, own]])
    const recipe: Recipe<typeof own> = { merge_method: 'halfway', base_model: 'a', models: [{ model: 'b' }] }
    const { plan } = await prepareMerge<typeof own>({ recipe, methods, ...roots() })
    expect(plan.method).toBe('halfway')
  })
})
