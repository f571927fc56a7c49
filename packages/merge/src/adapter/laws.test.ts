import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
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
