import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { extract, inFolder, norm, open, readAdapter, root, valuesOf, writeModel } from './__fixtures__/extract.ts'
import {
  addRankOne,
  between,
  copied,
  layer,
  made,
  norm1,
  q,
  random,
  type Tensors,
  up,
} from './__fixtures__/made-models.ts'
import { extractLora } from './extract-lora.ts'
import { planExtraction } from './plan/plan-extraction.ts'

describe('laws', () => {
  it.each(['llama', 'qwen', 'gpt2', 'qwen3', 'mixtral', 'neox', 'phi3', 'gemma2'])(
    'an adapter of full rank gives the fine-tune back: %s',
    async (family) => {
      const [fine, base] = [root(`goldens/models/${family}-ft1`), root(`goldens/models/${family}-base`)]
      await inFolder(async (folder) => {
        for (const embedLora of [false, true]) {
          const out = join(folder, String(embedLora))
          await extract(fine, base, out, { maxRank: 1000, embedLora })
          const found = valuesOf(await open(base, out))
          for (const [name, { values }] of valuesOf(await open(fine)))
            expect(norm(values, found.get(name)!.values)).toBeLessThan(2e-6 * norm(values))
        }
      })
    },
  )

  it('a difference of rank r is exact at rank r, as wide as it may be', async () => {
    const base = { [q]: random([150, 130], 1), [up]: random([130, 200], 2) }
    await between(
      (tensors) => {
        for (const name of [q, up]) for (let i = 0; i < 3; i++) addRankOne(tensors[name]!, 10 * i)
      },
      async ({ fine, base, out }) => {
        const { result } = await extract(fine, base, out, { maxRank: 3 })
        expect(Object.values(result.ranks)).toEqual([3, 3])
        const found = valuesOf(await open(base, out))
        for (const [name, { values }] of valuesOf(await open(fine)))
          expect(norm(values, found.get(name)!.values)).toBeLessThan(1e-5 * norm(values))
      },
      { base },
    )
  })

  it('threads change no byte', async () => {
    const [fineTune, base] = [
      await open(root('goldens/models/llama-ft1')),
      await open(root('goldens/models/llama-base')),
    ]
    const settings = { maxRank: 3 }
    const plan = planExtraction(fineTune, base, settings)
    await inFolder(async (folder) => {
      const run = (name: string, order: typeof plan) =>
        extractLora({ fineTune, base, plan: order, settings, out: join(folder, name), threads: 0 })
      await run('a', plan)
      await run('b', { ...plan, decomposed: plan.decomposed.toReversed() })
      const bytes = (name: string) => readFileSync(join(folder, name, 'adapter_model.safetensors'))
      expect(bytes('a').equals(bytes('b'))).toBe(true)
    })
  })
})

describe('ranks', () => {
  it('are as many as hold a share of the norm', async () => {
    await between(
      ({ [q]: weight }) => {
        weight!.values[0]! += 3
        weight!.values[7]! += 2
        weight!.values[14]! += 1
      },
      async ({ fine, base, out }) => {
        for (const [energy, rank] of [
          [0.5, 1],
          [0.7, 2],
          [0.95, 3],
        ] as const)
          expect((await extract(fine, base, `${out}${rank}`, { energy })).result.ranks).toEqual({
            [`${layer}self_attn.q_proj`]: rank,
          })
        const { result } = await extract(fine, base, out, { svEpsilon: 1.5 })
        expect(Object.values(result.ranks)).toEqual([2])
        expect(Object.values(result.errors)[0]).toBeCloseTo(1 / Math.sqrt(14), 5)
      },
    )
  })

  it('differ from module to module, and modules without any are left out', async () => {
    await between(
      (tensors) => {
        addRankOne(tensors[q]!, 1)
        addRankOne(tensors[up]!, 2)
        addRankOne(tensors[up]!, 3)
      },
      async ({ fine, base, out }) => {
        const { config, result } = await extract(fine, base, out)
        expect(config.r).toBe(2)
        expect(config.rank_pattern).toEqual({ [`${layer}self_attn.q_proj`]: 1 })
        expect(config.modules_to_save).toBe(null)
        expect(result.unchanged).toEqual(
          ['model.embed_tokens', 'model.layers.0.input_layernorm', 'lm_head'].toSorted(
            (a, b) => result.unchanged.indexOf(a) - result.unchanged.indexOf(b),
          ),
        )
      },
    )
  })
})

describe('modules', () => {
  const twoLayers = (): Tensors => ({
    ...made(),
    'model.layers.1.self_attn.q_proj.weight': random([8, 6], 7),
    'model.layers.1.mlp.up_proj.weight': random([12, 6], 8),
    'model.layers.1.input_layernorm.weight': random([6], 9),
  })

  it('have full names where short ones would mean others, too', async () => {
    await between(
      (tensors) => {
        for (const name of [q, up, 'model.layers.1.mlp.up_proj.weight']) addRankOne(tensors[name]!, 1)
        tensors[norm1]!.values[0]! += 1
      },
      async ({ fine, base, out }) => {
        const { config } = await extract(fine, base, out)
        expect(config.target_modules).toEqual([`${layer}self_attn.q_proj`, 'up_proj'])
        expect(config.modules_to_save).toEqual([`${layer}input_layernorm`])
      },
      { base: twoLayers() },
    )
  })

  it('keep their biases, also where the weight is as it was', async () => {
    const bias = (name: string) => name.replace('.weight', '.bias')
    const base = { ...made(), [bias(q)]: random([8], 6), [bias(up)]: random([12], 7) }
    await between(
      (tensors) => {
        addRankOne(tensors[q]!, 1)
        tensors[bias(q)]!.values[1]! += 1
        tensors[bias(up)]!.values[2]! += 1
      },
      async ({ fine, base, out }) => {
        const { config } = await extract(fine, base, out)
        expect(config.bias).toBe('all')
        const found = valuesOf(await open(base, out))
        const expected = valuesOf(await open(fine))
        for (const name of [bias(q), bias(up)]) expect(found.get(name)).toEqual(expected.get(name))
      },
      { base },
    )
  })

  it('of packed experts are kept whole', async () => {
    const experts = `${layer}mlp.experts.gate_up_proj`
    await between(
      (tensors) => {
        addRankOne(tensors[q]!, 1)
        tensors[experts]!.values[5]! += 1
      },
      async ({ fine, base, out }) => {
        const { config } = await extract(fine, base, out)
        expect(config.modules_to_save).toEqual(['experts'])
        expect(valuesOf(await open(base, out)).get(experts)).toEqual(valuesOf(await open(fine)).get(experts))
      },
      { base: { ...made(), [experts]: random([2, 8, 6], 3) } },
    )
  })

  it('of GPT-2 are transposed, and named as the class has them', async () => {
    await inFolder(async (folder) => {
      const tensors = { 'wte.weight': random([10, 4], 1), 'h.0.attn.c_attn.weight': random([4, 12], 2) }
      const fineTensors = copied(tensors)
      addRankOne(fineTensors['h.0.attn.c_attn.weight']!, 3)
      fineTensors['wte.weight']!.values[0]! += 1
      const config = { model_type: 'gpt2', architectures: ['GPT2LMHeadModel'] }
      for (const name of ['base', 'fine']) mkdirSync(join(folder, name))
      writeModel(join(folder, 'base'), tensors, config)
      writeModel(join(folder, 'fine'), fineTensors, config)
      const out = join(folder, 'adapter')
      const { config: written } = await extract(join(folder, 'fine'), join(folder, 'base'), out)
      expect(written.fan_in_fan_out).toBe(true)
      const stored = await readAdapter(out)
      expect([...stored].map(([name, { shape }]) => `${name} ${shape.join('×')}`)).toEqual([
        'base_model.model.lm_head.weight 10×4',
        'base_model.model.transformer.h.0.attn.c_attn.lora_A.weight 1×4',
        'base_model.model.transformer.h.0.attn.c_attn.lora_B.weight 12×1',
        'base_model.model.transformer.wte.weight 10×4',
      ])
    })
  })

  it('can be saved whole, by full or short names', async () => {
    await between(
      (tensors) => {
        for (const name of [q, up]) addRankOne(tensors[name]!, 1)
      },
      async ({ fine, base, out }) => {
        for (const name of ['up_proj', `${layer}mlp.up_proj`]) {
          const { result } = await extract(fine, base, `${out}${name}`, { saveModules: [name] })
          expect(result.whole).toEqual([`${layer}mlp.up_proj`])
        }
        await expect(extract(fine, base, out, { saveModules: ['down'] })).rejects.toThrow("no module is called 'down'")
      },
    )
  })
})

describe('embeddings of another size', () => {
  it('are saved whole, and the card says to resize', async () => {
    await between(
      (tensors) => {
        tensors['model.embed_tokens.weight'] = random([12, 6], 8)
        tensors['lm_head.weight'] = random([12, 6], 9)
        addRankOne(tensors[q]!, 1)
      },
      async ({ fine, base, out }) => {
        const { plan, result } = await extract(fine, base, out, { embedLora: true })
        expect(plan.vocabulary).toEqual({ fine: 12, base: 10 })
        expect(result.whole.toSorted()).toEqual(['lm_head', 'model.embed_tokens'])
        expect(readFileSync(join(out, 'README.md'), 'utf8')).toContain('base.resize_token_embeddings(12)')
      },
    )
  })
})

describe('refusals', () => {
  const refused = (change: (tensors: Tensors) => void, settings = {}) =>
    between(change, async ({ fine, base, out }) => {
      const error = await extract(fine, base, out, settings).catch((caught: Error) => caught)
      expect(readdirSync(join(out, '..')).toSorted()).toEqual(['base', 'fine'])
      return (error as Error).message.replaceAll(fine, 'FINE').replaceAll(base, 'BASE')
    })

  it('of a fine-tune that is its base', async () => {
    expect(await refused(() => {})).toBe('nothing to extract from FINE and BASE: no tensor that is looked at differs')
  })

  it('of whole modules alone', async () => {
    expect(await refused((tensors) => void (tensors[norm1]!.values[0]! += 1))).toMatch(/no module is left to decompose/)
  })

  it('of NaN and infinity', async () => {
    for (const value of [NaN, Infinity])
      expect(await refused((tensors) => void (tensors[q]!.values[3] = value))).toMatch(
        /^the difference of tensor 'model.layers.0.self_attn.q_proj.weight' is not finite/,
      )
  })

  it('of other shapes, and of tensors that the base lacks', async () => {
    expect(await refused((tensors) => void (tensors[q] = random([9, 6], 1)))).toBe(
      `tensor '${q}' is [9, 6] in the fine-tune, but [8, 6] in the base; expected equal shapes, except for the rows of embeddings and heads`,
    )
    expect(await refused((tensors) => void (tensors[norm1] = random([7], 1)))).toMatch(/is \[7\] in the fine-tune/)
    expect(await refused((tensors) => void (tensors['model.embed_tokens.weight'] = random([10, 7], 1)))).toMatch(
      /is \[10, 7\] in the fine-tune/,
    )
    expect(await refused((tensors) => void (tensors[`${layer}mlp.down_proj.weight`] = random([6, 6], 1)))).toMatch(
      /^BASE has no counterpart for 1 tensor of FINE: 'model.layers.0.mlp.down_proj.weight'/,
    )
  })

  it('of settings out of their range, and patterns that are none', async () => {
    const change = (tensors: Tensors) => addRankOne(tensors[q]!, 1)
    for (const [settings, message] of [
      [{ maxRank: 0 }, 'the largest rank is 0, expected a whole number from 1'],
      [{ svEpsilon: -1 }, 'the least singular value is -1, expected a number from 0'],
      [{ energy: 0 }, 'the share of the norm is 0, expected a number above 0, at most 1'],
      [{ include: ['('] }, "the pattern '(' is no regular expression"],
    ] as const)
      expect(await refused(change, settings)).toContain(message)
    expect(await refused(change, { svEpsilon: 1e9 })).toMatch(/no tensor that is looked at differs/)
  })

  it('of a folder that is there, unless it is an adapter to be replaced', async () => {
    await between(
      (tensors) => addRankOne(tensors[q]!, 1),
      async ({ fine, base, out }) => {
        await extract(fine, base, out)
        await expect(extract(fine, base, out)).rejects.toMatchObject({ code: 'extract-exists' })
        const [fineTune, baseModel] = [await open(fine), await open(base)]
        const plan = planExtraction(fineTune, baseModel)
        const run = {
          fineTune,
          base: baseModel,
          plan,
          settings: {},
          out,
          threads: 0,
          overwrite: true,
          writeCard: false,
        }
        await extractLora(run)
        expect(existsSync(join(out, 'README.md'))).toBe(false)
        writeFileSync(join(out, 'notes.txt'), '')
        await expect(extractLora(run)).rejects.toMatchObject({ code: 'extract-strangers' })
        const aborted = extractLora({ ...run, out: `${out}2`, signal: AbortSignal.abort(new Error('enough')) })
        await expect(aborted).rejects.toThrow('enough')
        expect(existsSync(`${out}2`)).toBe(false)
      },
    )
  })
})
