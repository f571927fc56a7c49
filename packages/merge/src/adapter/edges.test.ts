import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectIssue, prepareIn, wasmRuntime } from '../__fixtures__/merge.ts'
import { tinyLlama, useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'
import { runMerge } from '../node/run-merge.ts'
import { distance, mergeAdapter, readModel, writeAdapter } from './__fixtures__/adapters.ts'

const folder = useFolder()
const [q, down] = ['model.layers.0.self_attn.q_proj', 'model.layers.1.mlp.down_proj']
const at = (name: string) => join(folder.path, name)

const recipe = (method: string, models: readonly string[], rest = '', base = 'base_model: base') =>
  `merge_method: ${method}
${base}
models: [${models.map((model) => `{ model: ${model}, parameters: { weight: 1 } }`).join(', ')}]
out_format: lora
${rest}`
const merge = (text: string) => mergeAdapter(folder.path, text)
const prepare = (text: string) => prepareIn(folder.path, text)

async function writeAll(): Promise<void> {
  await writeLlamas(folder.path, { base: { hidden: 8 }, other: { hidden: 8 } })
  await writeAdapter(at('a'), { [q]: [8, 3, 8] })
  await writeAdapter(at('b'), { [down]: [8, 2, 10] }, { seed: 2 })
}

describe('results', () => {
  test('of adapters on different modules: each where it is', async () => {
    await writeAll()
    for (const rest of ['', 'adapter_space: knots', 'adapter_space: factors']) {
      const { config, rankOf } = await merge(recipe('task_arithmetic', ['base+a', 'base+b'], rest))
      expect(config.target_modules).toEqual([q, down])
      expect([rankOf(q), rankOf(down)]).toEqual([3, 2])
    }
  })

  test('of adapters one over the other, and of one that is not scaled', async () => {
    await writeAll()
    await writeAdapter(at('c'), { [q]: [8, 1, 8] }, { seed: 3, alpha: 0 })
    expect((await merge(recipe('linear', ['base+a+b']))).rankOf(down)).toBe(2)
    const { config } = await merge(recipe('linear', ['base+a+c']))
    expect(config).toMatchObject({ r: 3, target_modules: ['model.layers.0.self_attn.q_proj'] })
  })

  test('of adapters of another base: what the merge is, less the base', async () => {
    await writeAll()
    const { out } = await merge(recipe('linear', ['base+a', 'other+b'], 'rank: 8\ndtype: float32'))
    const [found, base, other] = [
      await readModel(at('base'), out),
      await readModel(at('base'), at('a')),
      await readModel(at('other'), at('b')),
    ]
    for (const [name, values] of found)
      expect([
        name,
        distance(
          values,
          values.map((_, i) => (base.get(name)![i]! + other.get(name)![i]!) / 2),
        ),
      ]).toEqual([name, expect.closeTo(0, 5)])
  })

  test('of a rank above the smaller dimension: that dimension', async () => {
    await writeAll()
    expect((await merge(recipe('ties', ['base+a'], 'rank: 100'))).rankOf(q)).toBe(8)
    await writeAdapter(at('wide'), { [q]: [8, 12, 8] })
    for (const rest of ['', 'adapter_space: knots', 'adapter_space: factors']) {
      const { rankOf, product } = await merge(recipe('task_arithmetic', ['base+wide'], rest))
      expect(rankOf(q)).toBe(8)
      const full = (await merge(recipe('ties', ['base+wide'], 'rank: 8'))).product(q)
      expect(distance(product(q), full)).toBeLessThan(1e-5)
    }
  })

  test('of matrices of one row, and of one column', async () => {
    const extra = {
      'model.layers.0.gate_proj.weight': { shape: [1, 5] },
      'model.layers.0.up_proj.weight': { shape: [5, 1] },
    }
    await writeLlamas(folder.path, { base: { extra } })
    const [row, column] = ['model.layers.0.gate_proj', 'model.layers.0.up_proj']
    await writeAdapter(at('a'), { [row]: [1, 2, 5], [column]: [5, 2, 1] })
    for (const [method, rest] of [
      ['task_arithmetic', ''],
      ['ties', 'rank: 4'],
      ['ties', 'adapter_space: knots'],
      ['ties', 'adapter_space: factors'],
    ] as const) {
      const { rankOf, product } = await merge(recipe(method, ['base+a'], rest))
      expect([rankOf(row), rankOf(column)]).toEqual([1, 1])
      expect([product(row).length, product(column).length]).toEqual([5, 5])
    }
  })

  test('of adapters that were never trained, whose B is zero: zeros', async () => {
    await writeAll()
    await writeAdapter(at('zero'), { [q]: [8, 3, 8] }, { value: () => 0 })
    for (const [method, rest] of [
      ['task_arithmetic', ''],
      ['ties', 'rank: 2'],
      ['task_arithmetic', 'rank: 2'],
      ['ties', 'adapter_space: knots'],
      ['ties', 'adapter_space: factors'],
    ] as const) {
      const { product } = await merge(recipe(method, ['base+zero'], rest))
      expect(product(q).every((value) => value === 0)).toBe(true)
    }
  })

  test('of factors of 16 bits: such, unless the recipe says otherwise', async () => {
    await writeLlamas(folder.path, { base: { hidden: 8, dtype: 'BF16' } })
    await writeAdapter(at('a'), { [q]: [8, 3, 8] })
    const dtypes = async (rest: string, method = 'linear') => [
      ...new Set([...(await merge(recipe(method, ['base+a'], rest))).tensors.values()].map(({ dtype }) => dtype)),
    ]
    // As the adapter has them, whatever the base has.
    expect(await dtypes('')).toEqual(['F32'])
    expect(await dtypes('rank: 2', 'ties')).toEqual(['F32'])
    expect(await dtypes('dtype: bfloat16')).toEqual(['BF16'])
    expect(await dtypes('out_dtype: float16')).toEqual(['F16'])
  })

  test('of factors that float16 cannot hold: counted by factor, in one run or two', async () => {
    await writeAll()
    const value = (i: number) => (i === 502 ? 1e5 : i === 1 ? -7e4 : i === 2 ? 6e4 : 0.1)
    await writeAdapter(at('large'), { [q]: [8, 3, 8] }, { value })
    const factor = (side: string) => `base_model.model.${q}.lora_${side}.weight`
    const found = ['A', 'B'].map((side) => ({
      tensor: factor(side),
      dtype: 'F16',
      inputs: [],
      results: 1,
      overflow: 1,
    }))
    const text = recipe('task_arithmetic', ['base+large'], 'out_dtype: float16')
    const { plan, methods } = await prepare(text)
    const run = { methods, runtime: wasmRuntime, threads: 0 }
    expect((await runMerge(plan, { ...run, out: at('whole') })).nonFinite).toEqual(found)
    const stop = new AbortController()
    const onProgress = ({ finishedTensors }: { finishedTensors: number }) => finishedTensors === 1 && stop.abort()
    await expectIssue(runMerge(plan, { ...run, out: at('two'), signal: stop.signal, onProgress }), 'interrupted')
    expect((await runMerge(plan, { ...run, out: at('two') })).nonFinite).toEqual(found)
    const message = await expectIssue(runMerge(plan, { ...run, out: at('strict'), strict: true }), 'values-not-finite')
    expect(message).toContain(`${factor('A')}: 1 in the result, by overflow (float16 ends at 65504)`)
    expect(await readdir(folder.path)).not.toContain('strict')
    const wide = await prepare(recipe('task_arithmetic', ['base+large'], 'out_dtype: bfloat16'))
    expect((await runMerge(wide.plan, { ...run, out: at('wide') })).nonFinite).toEqual([])
  })

  test('of a base of 16 bits: what adapters add is not rounded on it', async () => {
    await writeLlamas(folder.path, { base: { hidden: 8, dtype: 'BF16' } })
    await writeAdapter(at('a'), { [q]: [8, 3, 8] }, { value: (i) => Math.sin(i * i) / 300 })
    const expected = (await merge(recipe('linear', ['base+a']))).product(q)
    for (const method of ['ties', 'emr'])
      expect(
        distance(
          (
            await merge(
              recipe(method, ['base+a'], 'rank: 3').replace(/, parameters[^}]*} /, method === 'emr' ? ' ' : '$&'),
            )
          ).product(q),
          expected,
        ),
      ).toBeLessThan(1e-5)
    const { product } = await merge(`merge_method: slerp
base_model: base
models: [{ model: base }, { model: base+a }]
parameters: { t: 1 }
out_format: lora
rank: 3`)
    expect(distance(product(q), expected)).toBeLessThan(0.01)
  })

  test('of an embedding of another size: whole, with its tokenizer, and a note that the base has to be resized', async () => {
    const vocabulary = (count: number) => ({
      'tokenizer.json': JSON.stringify({
        added_tokens: [],
        model: {
          type: 'BPE',
          vocab: Object.fromEntries(Array.from({ length: count }, (_, i) => [`t${i}`, i])),
          merges: [],
        },
      }),
      'tokenizer_config.json': '{}',
    })
    await writeLlamas(folder.path, {
      base: { rows: 6, files: vocabulary(6) },
      larger: { rows: 8, files: vocabulary(8) },
    })
    const { tensors, notes, out } = await merge(recipe('linear', ['larger'], 'rank: 4\ntokenizer_source: union'))
    expect(tensors.get('base_model.model.model.embed_tokens.weight')!.shape[0]).toBe(8)
    expect(notes.join('\n')).toContain('the merge has 8 rows of embeddings, the base 6')
    expect(await readdir(out)).toContain('tokenizer.json')
  })

  test('of a head that the base ties to its embedding: factors of the head alone', async () => {
    await writeLlamas(folder.path, { base: { tied: true, rows: 6 } })
    await writeAdapter(at('a'), { lm_head: [6, 2, 4], [q]: [4, 2, 4] })
    const { config, tensors, out } = await merge(recipe('linear', ['base+a']))
    expect(config).toMatchObject({
      target_modules: [q, 'lm_head'],
      modules_to_save: null,
    })
    expect([...tensors.keys()].filter((name) => name.includes('embed'))).toEqual([])
    const [found, expected] = [await readModel(at('base'), out), await readModel(at('base'), at('a'))]
    expect(distance(found.get('lm_head.weight')!, expected.get('lm_head.weight')!)).toBeLessThan(1e-6)
  })

  test('are for the model that all adapters are over, where the recipe names no base', async () => {
    await writeAll()
    const models = ['base+a', 'base+b', 'base']
    const [named, unnamed] = [await merge(recipe('linear', models)), await merge(recipe('linear', models, '', ''))]
    expect(unnamed.config['base_model_name_or_path']).toBe('base')
    expect(await readModel(at('base'), unnamed.out)).toEqual(await readModel(at('base'), named.out))
    expect(unnamed.notes).toEqual(named.notes)
  })

  test('are in a folder of their own, with a card that says how PEFT loads them', async () => {
    await writeAll()
    const { out, config } = await merge(recipe('linear', ['base+a']))
    expect((await readdir(out)).toSorted()).toEqual([
      'README.md',
      'adapter_config.json',
      'adapter_model.safetensors',
      'mergekit_config.yml',
    ])
    expect(config['base_model_name_or_path']).toBe('base')
    const card = await readFile(join(out, 'README.md'), 'utf8')
    for (const line of ['library_name: peft', '- lora', 'model = PeftModel.from_pretrained(base, '])
      expect(card).toContain(line)
  })
})

describe('errors', () => {
  test.each([
    ['no base of all models', recipe('linear', ['base+a', 'other+b'], 'rank: 8', ''), 'the recipe has no base_model'],
    ['no base, and no adapters', recipe('linear', ['base', 'other'], 'rank: 8', ''), 'the recipe has no base_model'],
    ['a base with an adapter over it', recipe('linear', ['base+a'], '', 'base_model: base+b'), 'has adapters over it'],
    ['a base without config', recipe('linear', ['raw'], '', 'base_model: raw'), 'has no config.json'],
    ['nothing that is changed', recipe('linear', ['base']), 'the merge changes nothing of base'],
    [
      'a method whose result has no rank',
      recipe('ties', ['base+a', 'base+b']),
      'ties is not linear in its models; expected a rank',
    ],
    [
      'fine-tunes without a rank',
      recipe('linear', ['base+a', 'other']),
      'not all models are the base with adapters over it; expected a rank',
    ],
    ['a rank of 0', recipe('linear', ['base+a'], 'rank: 0'), 'expected a whole number from 1'],
    ['half a rank', recipe('linear', ['base+a'], 'rank: 1.5'), 'expected a whole number from 1'],
    ['another space', recipe('linear', ['base+a'], 'adapter_space: knot'), "'products' or 'knots' or 'factors'"],
    [
      'knots of fine-tunes',
      recipe('ties', ['base+a', 'other'], 'adapter_space: knots'),
      'one of the models is other; expected the base with adapters over it',
    ],
    [
      'knots by a method of no task vectors',
      recipe('karcher', ['base+a', 'base+b'], 'adapter_space: knots').replaceAll(/, parameters: { weight: 1 }/g, ''),
      'the method is karcher; expected a method that merges task vectors',
    ],
    [
      'factors of different ranks',
      recipe('ties', ['base+a', 'base+d'], 'adapter_space: factors'),
      'the factors have the ranks 3, 2',
    ],
    [
      'a rank where no adapter is written',
      recipe('linear', ['base+a'], 'rank: 2').replace('out_format: lora\n', ''),
      'rank is about adapters that are written',
    ],
    [
      'a space where no adapter is written',
      recipe('linear', ['base+a'], 'adapter_space: knots').replace('lora', 'safetensors'),
      'adapter_space is about adapters',
    ],
    [
      'blocks of a GGUF',
      recipe('linear', ['base+a'], 'out_dtype: q8_0'),
      'lora has float64, float32, float16, bfloat16',
    ],
    [
      'a base that is a merge',
      `name: inner\n${recipe('linear', ['base', 'other']).replace('out_format: lora\n', '')}\n---\n${recipe('linear', ['other'], 'rank: 2', 'base_model: inner')}`,
      "base_model 'inner' is a merge",
    ],
    [
      'a merge that others are made of',
      `name: inner\n${recipe('linear', ['base+a'])}\n---\n${recipe('linear', ['inner'], 'rank: 2')}`,
      'out_format is lora, which only an output can be',
    ],
    ['other architectures', recipe('linear', ['base', 'wide'], 'rank: 2'), 'shape'],
  ])('for %s', async (_, text, message) => {
    await writeAll()
    await writeAdapter(at('d'), { [q]: [8, 2, 8] })
    await writeLlamas(folder.path, { wide: { hidden: 10 } })
    await writeModel(at('raw'), { tensors: tinyLlama().tensors })
    await expect(prepare(text)).rejects.toThrow(message)
  })

  test('for a merge that changes norms alone, which PEFT loads no adapter for', async () => {
    await writeLlamas(folder.path, { base: {} })
    await writeModel(at('a'), { tensors: { 'base_model.model.model.norm.weight': { shape: [4] } } })
    await rename(join(at('a'), 'model.safetensors'), join(at('a'), 'adapter_model.safetensors'))
    const config = { peft_type: 'LORA', r: 1, lora_alpha: 1, target_modules: [], modules_to_save: ['norm'] }
    await writeFile(join(at('a'), 'adapter_config.json'), JSON.stringify(config))
    await expectIssue(prepare(recipe('linear', ['base+a'])), 'adapter-empty', { whole: ['model.norm'] })
  })

  test.each(['', 'rank: 2', 'adapter_space: knots', 'adapter_space: factors'])(
    'for NaN in an adapter, which leaves nothing (%s)',
    async (rest) => {
      await writeAll()
      await writeAdapter(at('bad'), { [q]: [8, 3, 8] }, { value: (i) => (i === 3 ? Number.NaN : 0.1) })
      await expect(merge(recipe('task_arithmetic', ['base+a', 'base+bad'], rest))).rejects.toMatchObject({
        code: 'extract-not-finite',
        issue: { tensor: `${q}.weight` },
      })
      expect(await readdir(folder.path)).not.toContain('adapter')
    },
  )

  test('for a merge by a method of whole matrices without a rank, and one that another merge reads', async () => {
    await writeAll()
    await expectIssue(prepare(recipe('iso_c', ['other'])), 'adapter-rank-missing')
    await expectIssue(prepare(recipe('tsv_m', ['base+a'])), 'adapter-rank-missing')
    const inner = recipe('iso_c', ['other']).replace('out_format: lora\n', '')
    const text = `name: inner\n${inner}\n---\n${recipe('linear', ['inner'], 'rank: 2')}`
    await expectIssue(prepare(text), 'stage-of-matrices')
  })

  test('for NaN in a merge by a method of whole matrices, naming the model', async () => {
    await writeAll()
    await writeAdapter(at('bad'), { [q]: [8, 3, 8] }, { value: (i) => (i === 3 ? Number.NaN : 0.1) })
    await expect(merge(recipe('tsv_m', ['base+a', 'base+bad'], 'rank: 2'))).rejects.toMatchObject({
      code: 'not-finite',
      issue: { model: 1, name: 'base+bad or the base' },
    })
  })

  test('for NaN in a merge that streams', async () => {
    await writeAll()
    await writeAdapter(at('bad'), { [q]: [8, 3, 8] }, { value: (i) => (i === 3 ? Infinity : 0.1) })
    await expect(merge(recipe('ties', ['base+bad'], 'rank: 2'))).rejects.toMatchObject({ code: 'extract-not-finite' })
  })
})
