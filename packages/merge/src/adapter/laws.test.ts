import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createMatrix, leadingColumns, multiply, svd, transpose } from '@mk/linalg'
import { describe, expect, test } from 'vitest'
import { mergeIn } from '../__fixtures__/merge.ts'
import { tinyLlama, useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'
import { distance, mergeAdapter, readFile, readModel, writeAdapter } from './__fixtures__/adapters.ts'

const folder = useFolder()
const golden = (name: string) => fileURLToPath(new URL(`../../../../goldens/models/${name}`, import.meta.url))
const [q, down] = ['model.layers.0.self_attn.q_proj', 'model.layers.1.mlp.down_proj']

/** A tiny model and two adapters of other ranks, scales and modules. */
async function writeAll(): Promise<void> {
  await writeLlamas(folder.path, { base: { hidden: 8 } })
  await writeAdapter(join(folder.path, 'a'), { [q]: [8, 3, 8], [down]: [8, 3, 10] }, { alpha: 6 })
  await writeAdapter(join(folder.path, 'b'), { [q]: [8, 2, 8] }, { alpha: 1, rslora: true, seed: 2 })
}

const recipe = (method: string, models: readonly string[], rest = '') =>
  `merge_method: ${method}
base_model: base
models: [${models.map((model) => `{ model: ${model}, parameters: { weight: 1 } }`).join(', ')}]
out_format: lora
${rest}`
const both = ['base+a', 'base+b']

/** What adapters add to a module, scale and all. */
async function productOf(adapter: string, module: string): Promise<Float64Array> {
  const found = await mergeAdapter(folder.path, recipe('task_arithmetic', [`base+${adapter}`]), {
    out: join(folder.path, `${adapter}-alone`),
  })
  return found.product(module)
}

const sum = (a: ArrayLike<number>, b: ArrayLike<number>) => Float64Array.from(a, (value, i) => value + b[i]!)

describe('an adapter out of adapters', () => {
  test('holds their factors, so that its product is the sum of theirs', async () => {
    await writeAll()
    const merged = await mergeAdapter(folder.path, recipe('task_arithmetic', both))
    expect([merged.rankOf(q), merged.rankOf(down)]).toEqual([5, 3])
    expect(merged.config).toMatchObject({ r: 5, rank_pattern: { [down]: 3 }, modules_to_save: null })
    const [own, a, b] = await Promise.all(
      [merged.out, join(folder.path, 'a'), join(folder.path, 'b')].map((path) =>
        readFile(join(path, 'adapter_model.safetensors')),
      ),
    )
    const name = `base_model.model.${q}.lora_A.weight`
    expect([...own!.get(name)!.values]).toEqual([...a!.get(name)!.values, ...b!.get(name)!.values])
    expect(distance(merged.product(q), sum(await productOf('a', q), await productOf('b', q)))).toBeLessThan(1e-7)
    expect(await productOf('b', q)).not.toEqual(await productOf('a', q))
  })

  test('of a lower rank is as near as an SVD of the sum gets', async () => {
    await writeAll()
    const whole = await mergeAdapter(folder.path, recipe('task_arithmetic', both), { out: join(folder.path, 'whole') })
    const cut = await mergeAdapter(folder.path, recipe('task_arithmetic', both, 'rank: 2'))
    const streamed = await mergeAdapter(folder.path, recipe('ties', ['base+whole'], 'rank: 2'))
    expect(cut.rankOf(q)).toBe(2)
    expect(distance(cut.product(q), whole.product(q))).toBeGreaterThan(0.01)
    expect(distance(cut.product(q), streamed.product(q))).toBeLessThan(1e-6)
  })

  test('of one adapter is that adapter, in each space and by methods that are not linear', async () => {
    await writeAll()
    const expected = await productOf('a', q)
    for (const rest of ['rank: 3', 'adapter_space: knots', 'adapter_space: factors']) {
      const { product, rankOf } = await mergeAdapter(folder.path, recipe('ties', ['base+a'], rest))
      expect([rest, rankOf(q), distance(product(q), expected)]).toEqual([rest, 3, expect.closeTo(0, 6)])
    }
  })

  test('is the same by a linear method in the shared basis as without', async () => {
    await writeAll()
    const plain = await mergeAdapter(folder.path, recipe('linear', both), { out: join(folder.path, 'plain') })
    const knots = await mergeAdapter(folder.path, recipe('linear', both, 'adapter_space: knots'))
    for (const module of [q, down]) expect(distance(knots.product(module), plain.product(module))).toBeLessThan(1e-6)
  })

  test('merges in the shared basis what differs in it', async () => {
    await writeAll()
    const parameters = 'parameters: { density: 0.5 }\n'
    const knots = await mergeAdapter(folder.path, recipe('ties', both, `${parameters}adapter_space: knots`))
    const products = await mergeAdapter(folder.path, recipe('ties', both, `${parameters}rank: 8`))
    expect(knots.rankOf(q)).toBe(5)
    expect(distance(knots.product(q), products.product(q))).toBeGreaterThan(0.01)
    const cut = await mergeAdapter(folder.path, recipe('ties', both, `${parameters}adapter_space: knots\nrank: 2`))
    expect(cut.rankOf(q)).toBe(2)
    expect(distance(cut.product(q), knots.product(q))).toBeLessThan(1)
  })

  test('has the same bytes for the same seed, and others for another where elements are dropped at random', async () => {
    await writeAll()
    const text = recipe('dare_linear', both, 'parameters: { density: 0.5 }\nrank: 4')
    const bytesBy = async (seed: number) => {
      const { out } = await mergeAdapter(folder.path, text, { prepare: { seed } })
      return readFileSync(join(out, 'adapter_model.safetensors')).toString('base64')
    }
    const first = await bytesBy(1)
    expect(await bytesBy(1)).toBe(first)
    expect(await bytesBy(2)).not.toBe(first)
  })

  test('goes on where it was interrupted, and has the same bytes', async () => {
    await writeAll()
    const text = recipe('ties', both, 'rank: 2')
    const whole = await mergeAdapter(folder.path, text, { out: join(folder.path, 'whole') })
    const controller = new AbortController()
    let resumed = 0
    const stopped = mergeAdapter(folder.path, text, {
      signal: controller.signal,
      onProgress: ({ finishedTensors }) => {
        // Between the two factors of a module, too.
        if (finishedTensors === 1) controller.abort()
      },
    })
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' })
    const again = await mergeAdapter(folder.path, text, { onProgress: (p) => (resumed = p.resumedTensors) })
    expect(resumed).toBeGreaterThan(0)
    const bytes = (out: string) => readFileSync(join(out, 'adapter_model.safetensors')).toString('base64')
    expect(bytes(again.out)).toBe(bytes(whole.out))
  })
})

describe('an adapter of full rank over the base is the merged model', () => {
  const merges: readonly (readonly [string, string, string])[] = [
    ['adapters, by a method that is not linear', 'llama', 'ties'],
    ['fine-tunes with biases and a tied head', 'qwen', 'ties'],
    ['fine-tunes of transposed layers', 'gpt2', 'task_arithmetic'],
    ['an interpolation', 'llama', 'slerp'],
  ]
  test.each(merges)('%s', async (_, family, method) => {
    const models =
      family === 'llama' && method === 'ties'
        ? ['a', 'e', 'f'].map(
            (name) => `${golden('llama-base')}+${fileURLToPath(new URL(`__fixtures__/${name}`, import.meta.url))}`,
          )
        : [golden(`${family}-ft1`), ...(method === 'slerp' ? [] : [golden(`${family}-ft2`)])]
    const base = golden(`${family}-base`)
    const text = `merge_method: ${method}
base_model: ${base}
models: [${[...(method === 'slerp' ? [base] : []), ...models].map((model) => `{ model: ${model}, parameters: { weight: 0.5, density: 0.7 } }`).join(', ')}]
`.replace(
      /, parameters: \{ weight: 0.5, density: 0.7 \}/g,
      method === 'slerp' ? '' : method === 'ties' ? '$&' : ', parameters: { weight: 0.5 }',
    )
    const rest = method === 'slerp' ? 'parameters: { t: 0.3 }\n' : ''
    const { out } = await mergeAdapter(folder.path, `${text}${rest}out_format: lora\nrank: 1000`)
    await mergeIn(folder.path, `${text}${rest}dtype: float32`, { out: join(folder.path, 'full') })
    const [found, full] = [await readModel(base, out), await readModel(join(folder.path, 'full'))]
    for (const [name, expected] of full)
      expect([name, distance(found.get(name)!, expected)]).toEqual([name, expect.closeTo(0, 5)])
  })
})

describe('by methods of whole matrices', () => {
  const parameters = (method: string) => (method === 'ace' ? '' : ', parameters: { weight: 0.6 }')
  const text = (method: string, models: readonly string[], rest: string) =>
    `merge_method: ${method}\nbase_model: base\nmodels: [${models.map((model) => `{ model: ${model}${parameters(method)} }`).join(', ')}]\n${rest}`

  /** Merges to an adapter, and to a model; gives what each adds to every module that the adapter has. */
  async function mergeBoth(method: string, models: readonly string[], rank: number) {
    const adapter = await mergeAdapter(folder.path, text(method, models, `out_format: lora\nrank: ${rank}`))
    await mergeIn(folder.path, text(method, models, 'dtype: float32'), { out: join(folder.path, 'full') })
    const [before, after] = [await readModel(join(folder.path, 'base')), await readModel(join(folder.path, 'full'))]
    const changeOf = (module: string) =>
      after.get(`${module}.weight`)!.map((value, i) => value - before.get(`${module}.weight`)![i]!)
    return { adapter, changeOf, before, after }
  }

  test.each(['iso_c', 'tsv_m', 'ace'])('%s of fine-tunes, of full rank, is the merged model', async (method) => {
    await writeLlamas(folder.path, { base: { hidden: 8 }, a: { hidden: 8, seed: 2 }, b: { hidden: 8, seed: 3 } })
    const { adapter, after } = await mergeBoth(method, ['a', 'b'], 1000)
    const found = await readModel(join(folder.path, 'base'), adapter.out)
    for (const [name, expected] of after)
      expect([name, distance(found.get(name)!, expected) < 1e-5]).toEqual([name, true])
  })

  test('ace of layers that are stored as inputs × outputs is the merged model', async () => {
    const [tuned, ofBase] = [['gpt2-ft1', 'gpt2-ft2'].map(golden), golden('gpt2-base')]
    const recipe = text('ace', tuned, '').replace(' base\n', ` ${ofBase}\n`)
    const merged = await mergeIn(folder.path, `${recipe}dtype: float32`)
    const adapter = await mergeAdapter(folder.path, `${recipe}out_format: lora\nrank: 100`)
    const found = await readModel(ofBase, adapter.out)
    for (const [name, { values }] of Object.entries(merged.tensors))
      expect([name, distance(found.get(name)!, values) < 1e-5]).toEqual([name, true])
  })

  test.each(['iso_c', 'tsv_m', 'ace'])('%s of adapters is the change of the merged model', async (method) => {
    await writeAll()
    const { adapter, changeOf } = await mergeBoth(method, both, 8)
    // The merged model has its changes less what the base's float32 rounds off, which iso_c makes larger.
    const most = method === 'iso_c' ? 5e-4 : 1e-4
    for (const module of [q, down]) expect(distance(adapter.product(module), changeOf(module))).toBeLessThan(most)
    expect(adapter.config.target_modules).toHaveLength(2)
    expect(adapter.config.modules_to_save).toBe(null)
  })

  test('tsv_m of a lower rank is as near as an SVD of the change gets', async () => {
    await writeAll()
    const { adapter, changeOf } = await mergeBoth('tsv_m', both, 2)
    const { u, values, v } = svd(createMatrix(8, 8, Float64Array.from(changeOf(q))))
    const best = Float64Array.from({ length: 64 }, (_, i) =>
      [0, 1].reduce(
        (sum, k) => sum + u.values[Math.floor(i / 8) * 8 + k]! * values[k]! * v.values[(i % 8) * 8 + k]!,
        0,
      ),
    )
    expect(adapter.rankOf(q)).toBe(2)
    expect(distance(adapter.product(q), best)).toBeLessThan(1e-4)
  })

  test('iso_c gives all directions of adapters the mean length', async () => {
    await writeAll()
    const { product } = await mergeAdapter(folder.path, text('iso_c', both, 'out_format: lora\nrank: 8'))
    const summed = sum(await productOf('a', q), await productOf('b', q)).map((value) => 0.6 * value)
    const { u, values, v } = svd(createMatrix(8, 8, summed))
    const mean = values.reduce((total, value) => total + value) / 8
    const directions = createMatrix(
      8,
      5,
      Float64Array.from({ length: 40 }, (_, i) => mean * u.values[Math.floor(i / 5) * 8 + (i % 5)]!),
    )
    const expected = multiply(directions, transpose(leadingColumns(v, 5)))
    expect(distance(product(q), expected.values)).toBeLessThan(1e-4)
  })

  test('of larger matrices is decomposed as it streams', async () => {
    await writeLlamas(folder.path, { base: { hidden: 128 } })
    const wide = 'model.layers.0.mlp.down_proj'
    await writeAdapter(join(folder.path, 'a'), { [q]: [128, 3, 128], [wide]: [128, 3, 130] })
    await writeAdapter(join(folder.path, 'b'), { [q]: [128, 2, 128] }, { seed: 2 })
    const { adapter, changeOf } = await mergeBoth('tsv_m', both, 5)
    for (const module of [q, wide]) expect(distance(adapter.product(module), changeOf(module))).toBeLessThan(1e-4)
  })

  test.each(['knots', 'factors'])('merges what adapters are in the space %s', async (space) => {
    await writeAll()
    await writeAdapter(join(folder.path, 'b'), { [q]: [8, 3, 8] }, { seed: 2 })
    for (const method of ['iso_c', 'tsv_m', 'ace']) {
      const rest = `out_format: lora\nadapter_space: ${space}`
      const { product, rankOf } = await mergeAdapter(folder.path, text(method, both, rest))
      const sizes = product(q).map(Math.abs)
      expect([rankOf(q), sizes.every(Number.isFinite), Math.max(...sizes) > 1e-3]).toEqual([
        space === 'knots' ? 6 : 3,
        true,
        true,
      ])
    }
  })

  test('tsv_m of one adapter is that adapter, in each space', async () => {
    await writeAll()
    const expected = await productOf('a', q)
    for (const rest of ['rank: 3', 'adapter_space: knots', 'adapter_space: factors']) {
      const one = text('tsv_m', ['base+a'], `out_format: lora\n${rest}`).replace('0.6', '1')
      const { product } = await mergeAdapter(folder.path, one)
      expect([rest, distance(product(q), expected)]).toEqual([rest, expect.closeTo(0, 5)])
    }
  })
})

test('what is not changed is not in it, as far as names or elements tell', async () => {
  await writeModel(join(folder.path, 'base'), tinyLlama({ seed: 1 }))
  const other = tinyLlama({ seed: 1 })
  const name = 'model.layers.0.self_attn.q_proj.weight'
  const tensors = { ...other.tensors, [name]: { ...other.tensors[name]!, value: (i: number) => Math.cos(i) } }
  await writeModel(join(folder.path, 'fine'), { ...other, tensors })
  const { tensors: written, config } = await mergeAdapter(folder.path, recipe('linear', ['fine'], 'rank: 2'))
  expect(config.modules_to_save).toBe(null)
  expect([...written.keys()].filter((key) => !key.includes('.lora_'))).toEqual([])
})
