import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn, wasmRuntime } from '../__fixtures__/merge.ts'
import { type LlamaOptions, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { finishIn, makeParts, planFileIn } from '../__fixtures__/parts.ts'
import { plannedSources } from '../plan/merge-plan.ts'
import { planCost } from '../plan/plan-cost.ts'
import { listCountedWeights } from '../plan/weight-groups.ts'
import { distance, mergeAdapter, readModel, writeAdapter } from './__fixtures__/adapters.ts'

const folder = useFolder()
const at = (name: string) => join(folder.path, name)
const [q, down] = ['model.layers.0.self_attn.q_proj', 'model.layers.1.mlp.down_proj']
const rules = ['metagpt', 'inverse_norm']

/** A tiny model, adapters of other ranks, scales and modules over it, and fine-tunes. */
async function writeAll(more: LlamaOptions = {}): Promise<void> {
  const common = { hidden: 8, ...more }
  await writeLlamas(folder.path, { base: common, tuned: { ...common, seed: 2 }, other: { ...common, seed: 3 } })
  await writeAdapter(at('a'), { [q]: [8, 3, 8], [down]: [8, 3, 10] }, { alpha: 6 })
  await writeAdapter(at('b'), { [q]: [8, 2, 8] }, { alpha: 1, rslora: true, seed: 2 })
  await writeAdapter(at('zero'), { [q]: [8, 3, 8] }, { value: () => 0 })
}

const text = (method: string, models: readonly string[], weight: string, rest = '') =>
  `merge_method: ${method}
base_model: base
models: [${models.map((model) => `{ model: ${model}, parameters: { weight: ${weight} } }`).join(', ')}]
dtype: float32
${rest}`
const lora = (rest = 'rank: 8') => `out_format: lora\n${rest}`

/** Merges to an adapter and to a model, and compares: the weights to the bit, what comes of them to rounding. */
async function expectSame(recipe: string, rest?: string) {
  const adapter = await mergeAdapter(folder.path, `${recipe}${lora(rest)}`)
  const full = await mergeIn(folder.path, recipe, { out: at('full'), runtime: wasmRuntime })
  expect(adapter.weights).toEqual(full.result.weights)
  expect(adapter.weights).toHaveLength(1)
  const [found, expected] = [await readModel(at('base'), adapter.out), await readModel(at('full'))]
  for (const [name, values] of expected) expect([name, distance(found.get(name)!, values) < 2e-6]).toEqual([name, true])
  return adapter
}

describe('an adapter of exact rank over the base is the full merge of the same recipe:', () => {
  test.each([
    [
      'adapters of other ranks, side by side',
      'metagpt',
      { method: 'task_arithmetic', models: ['base+a', 'base+b'], rest: '', rank: 5 },
    ],
    [
      'adapters of other ranks, by models',
      'inverse_norm',
      { method: 'linear', models: ['base+a', 'base+b'], rest: '', rank: 5 },
    ],
    [
      'adapters by a method that is not linear',
      'metagpt',
      { method: 'ties', models: ['base+a', 'base+b'], rest: 'rank: 8', rank: 8 },
    ],
    [
      'adapters one over the other',
      'metagpt',
      { method: 'task_arithmetic', models: ['base+a+b', 'base+b'], rest: '', rank: 7 },
    ],
    [
      'an adapter that was never trained',
      'metagpt',
      { method: 'task_arithmetic', models: ['base+a', 'base+zero'], rest: '', rank: 6 },
    ],
    [
      'fine-tunes, with norms and embeddings',
      'inverse_norm',
      { method: 'task_arithmetic', models: ['tuned', 'other'], rest: 'rank: 100', rank: 8 },
    ],
    [
      'fine-tunes by a method that is not linear',
      'metagpt',
      { method: 'ties', models: ['tuned', 'other'], rest: 'rank: 100', rank: 8 },
    ],
    [
      'fine-tunes by a method of whole matrices',
      'metagpt',
      { method: 'tsv_m', models: ['tuned', 'other'], rest: 'rank: 100', rank: 8 },
    ],
    [
      'an adapter and a fine-tune',
      'metagpt',
      { method: 'task_arithmetic', models: ['base+a', 'tuned'], rest: 'rank: 100', rank: 8 },
    ],
    [
      'an adapter and a fine-tune, by models',
      'inverse_norm',
      { method: 'linear', models: ['base+a', 'tuned'], rest: 'rank: 100', rank: 8 },
    ],
  ] as const)('%s (%s)', async (_, rule, { method, models, rest, rank }) => {
    await writeAll()
    const { rankOf } = await expectSame(text(method, models, rule), rest)
    expect(rankOf(q)).toBe(rank)
  })

  test.each(rules)('a tied head (%s)', async (rule) => {
    await writeAll({ tied: true })
    const { config } = await expectSame(text('task_arithmetic', ['tuned', 'other'], rule), 'rank: 100')
    expect(config.modules_to_save).toContain('lm_head')
  })

  test('some tensors only, the others having a weight of their own', async () => {
    await writeAll()
    const filtered = '[{ filter: mlp, value: metagpt }, { value: 0.25 }]'
    await expectSame(text('task_arithmetic', ['tuned', 'base+a'], filtered), 'rank: 100')
  })
})

describe('weights that follow from norms', () => {
  test('are those of the products, in each space', async () => {
    await writeAll()
    await writeAdapter(at('b'), { [q]: [8, 3, 8] }, { alpha: 1, seed: 2 })
    const recipe = text('task_arithmetic', ['base+a', 'base+b'], 'metagpt')
    const merge = (rest: string) => mergeAdapter(folder.path, `${recipe}${lora(rest)}`)
    const plain = await merge('')
    const knots = await merge('adapter_space: knots')
    const factors = await merge('adapter_space: factors')
    expect([knots.weights, factors.weights]).toEqual([plain.weights, plain.weights])
    expect(distance(knots.product(q), plain.product(q))).toBeLessThan(1e-6)
    const [first, second] = plain.weights![0]!.models.map(({ weight }) => String(weight))
    const numbers = recipe.replace('metagpt', first!).replace('metagpt', second!)
    const expected = await mergeAdapter(folder.path, `${numbers}${lora('adapter_space: factors')}`)
    expect(factors.product(q)).toEqual(expected.product(q))
  })

  test('go by what adapters are, also where a base of 16 bits would round it away', async () => {
    await writeAll({ dtype: 'BF16' })
    for (const [i, name] of ['small', 'smaller'].entries())
      await writeAdapter(at(name), { [q]: [8, 1, 8] }, { value: () => 2 ** (-8 - i) })
    const recipe = text('task_arithmetic', ['base+small', 'base+smaller'], 'metagpt')
    const { weights } = await expectSame(recipe, '')
    // 64 elements of 2⁻¹⁶ and 2⁻¹⁸, which is 16 times as much when squared.
    expect(weights).toEqual([
      {
        rule: 'metagpt',
        tensorCount: 9,
        models: [
          { model: 'base+small', norm: 2 ** -13, weight: 16 / 17 },
          { model: 'base+smaller', norm: 2 ** -15, weight: 1 / 17 },
        ],
      },
    ])
  })

  test('of task vectors that are adapters need no weight of the base', async () => {
    await writeAll()
    const plan = await planIn(folder.path, `${text('task_arithmetic', ['base+a', 'base+b'], 'metagpt')}${lora('')}`)
    expect(listCountedWeights(plan)).toEqual([{ rule: 'metagpt', models: ['base+a', 'base+b'], tensorCount: 9 }])
    const files = JSON.stringify(plannedSources(plan))
    expect([files.includes('base/model'), files.includes('b/adapter_model')]).toEqual([false, true])
    const { passedBytes, readBytes } = await planCost(plan, { threads: 1 })
    expect(passedBytes).toBe(2 * readBytes)
    // The merge to a model has one pass over the elements, too.
    const full = await planIn(folder.path, text('task_arithmetic', ['base+a', 'base+b'], 'metagpt'))
    expect((await planCost(full, { threads: 1 })).passes).toBe(1)
  })

  test('of an adapter for another base are counted of its elements', async () => {
    await writeAll()
    await expectSame(text('task_arithmetic', ['other+b', 'base+a'], 'metagpt'), 'rank: 100')
  })

  test('are numbers in a plan file, whose parts give the same adapter', async () => {
    await writeAll()
    for (const models of [
      ['base+a', 'base+b'],
      ['tuned', 'base+a'],
    ]) {
      const recipe = `${text('task_arithmetic', models, 'metagpt')}${lora()}`
      const whole = await mergeAdapter(folder.path, recipe)
      const file = await planFileIn(folder.path, recipe)
      expect(JSON.stringify(file.plan)).not.toContain('"metagpt"')
      const out = at(`parts-of-${models.join('-')}`)
      await makeParts(file, out, 2)
      await finishIn(file, out)
      const bytes = (path: string) => readFileSync(join(path, 'adapter_model.safetensors')).toString('base64')
      expect(bytes(out)).toBe(bytes(whole.out))
    }
  })

  test('are counted once, and told in the card', async () => {
    await writeAll()
    const recipe = `${text('ties', ['base+a', 'base+b'], 'metagpt')}${lora('rank: 2')}`
    const whole = await mergeAdapter(folder.path, recipe, { out: at('whole') })
    const controller = new AbortController()
    const stopped = mergeAdapter(folder.path, recipe, {
      signal: controller.signal,
      onProgress: ({ finishedTensors }) => finishedTensors === 1 && controller.abort(),
    })
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' })
    let counts = 0
    const again = await mergeAdapter(folder.path, recipe, {
      onProgress: ({ counting }) => (counts += Number(counting !== undefined)),
    })
    expect([counts, again.weights]).toEqual([0, whole.weights])
    for (const name of ['adapter_model.safetensors', 'README.md'])
      expect(readFileSync(join(again.out, name))).toEqual(readFileSync(join(whole.out, name)))
    const [first] = whole.weights![0]!.models
    expect(readFileSync(join(whole.out, 'README.md'), 'utf8')).toContain(
      `- weights by \`metagpt\` over 9 tensors: \`base+a\` ${first!.weight}, \`base+b\` `,
    )
  })

  test('of a merge that another is made of are found first', async () => {
    await writeAll()
    const inner = `name: inner\n${text('task_arithmetic', ['tuned', 'base+a'], 'metagpt')}`
    const outer = text('linear', ['inner', 'other'], 'inverse_norm')
    const adapter = await mergeAdapter(folder.path, `${inner}\n---\n${outer}${lora('rank: 100')}`)
    const full = await mergeIn(folder.path, `${inner}\n---\n${outer}`, { out: at('full'), runtime: wasmRuntime })
    expect(adapter.weights).toEqual(full.result.weights)
    expect(adapter.weights!.map(({ stage }) => stage)).toEqual(['inner', undefined])
    const [found, expected] = [await readModel(at('base'), adapter.out), await readModel(at('full'))]
    for (const [name, values] of expected)
      expect([name, distance(found.get(name)!, values) < 2e-6]).toEqual([name, true])
  })
})

describe('is refused:', () => {
  test.each(['base+bad', 'worse'])('what is not finite, naming tensor and model (%s)', async (model) => {
    await writeAll()
    const value = (i: number) => (i === 3 ? Number.NaN : 0.1)
    await writeAdapter(at('bad'), { [q]: [8, 3, 8] }, { value })
    await writeLlamas(folder.path, { worse: { hidden: 8, extra: { [`${q}.weight`]: { shape: [8, 8], value } } } })
    const recipe = `${text('task_arithmetic', ['base+a', model], 'metagpt')}${lora()}`
    await expectIssue(mergeAdapter(folder.path, recipe), 'not-finite', {
      tensor: `${q}.weight`,
      model: 1,
      name: `${model} or base`,
    })
  })

  test('adapters that were never trained, where each has the same weight, leave nothing', async () => {
    await writeAll()
    const recipe = `${text('task_arithmetic', ['base+zero', 'base+zero'], 'metagpt')}${lora('')}`
    const { weights, product } = await mergeAdapter(folder.path, recipe)
    expect(weights![0]!.models.map(({ norm, weight }) => [norm, weight])).toEqual([
      [0, 0.5],
      [0, 0.5],
    ])
    expect(product(q).every((element) => element === 0)).toBe(true)
  })
})
