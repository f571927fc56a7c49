import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ProcessRequest, runProcess } from '../__fixtures__/run-process.ts'
import { type LlamaOptions, writeLlamas } from '../__fixtures__/models.ts'

const folder = mkdtempSync(join(tmpdir(), 'mk-threads-'))
beforeAll(() => writeLlamas(folder, { base: large(1), a: large(2), b: large(3) }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let runs = 0

/** A tensor of several tasks, several small ones. */
const large = (seed: number): LlamaOptions => ({
  dtype: 'BF16',
  extra: {
    'model.layers.0.mlp.down_proj.weight': {
      dtype: 'BF16',
      shape: [1100, 960],
      value: (index) => Math.sin(index * 0.37 + seed * index * 1e-3),
    },
  },
})
const taskVectors = (method: string, more = '') =>
  `merge_method: ${method}\nbase_model: base\nparameters: {weight: 0.5, density: 0.4${more}}\nmodels: [{model: a}, {model: b}]`

const recipes: Readonly<Record<string, string>> = {
  linear: 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]',
  slerp: 'merge_method: slerp\nbase_model: a\nparameters: {t: 0.3}\nmodels: [{model: a}, {model: b}]',
  ties: taskVectors('ties'),
  della: taskVectors('della', ', epsilon: 0.1'),
}

async function filesOf(recipe: string, variants: readonly Partial<ProcessRequest>[]) {
  runs++
  const requests = variants.map((variant, index) => ({
    text: recipe,
    file: join(folder, 'recipe.yml'),
    out: join(folder, `out-${runs}-${index}`),
    threads: 1,
    ...variant,
  }))
  const { results } = await runProcess(requests)
  return results.map(({ error, files }) => error ?? files)
}

describe.each(Object.entries(recipes))('%s writes the same bytes', (_, recipe) => {
  test('for any number of threads, any memory between passes and on any runtime', { timeout: 120_000 }, async () => {
    const [first, ...others] = await filesOf(recipe, [
      ...[1, 0, 3].map((threads) => ({ threads })),
      { threads: 2, cacheBytes: 0 },
      { threads: 2, runtime: 'reference' },
      { threads: 2, runtime: 'default', ownWorkers: true },
    ])
    expect(Object.keys(first!)).toContain('model.safetensors')
    for (const other of others) expect(other).toEqual(first)
  })
})

test('whole matrices give the same bytes for any number of threads', { timeout: 120_000 }, async () => {
  const tall = (seed: number): LlamaOptions => {
    const value = (index: number) => Math.sin(index * 0.37) + 0.01 * Math.sin(seed * (index + 1) ** 1.3)
    return {
      extra: {
        'model.layers.0.mlp.down_proj.weight': { dtype: 'BF16', shape: [40, 30_000], value },
        'model.layers.0.mlp.up_proj.weight': { dtype: 'BF16', shape: [30_000, 40], value },
      },
    }
  }
  await writeLlamas(folder, { 'tall-base': tall(1), 'tall-a': tall(2), 'tall-b': tall(3) })
  const [first, ...others] = await filesOf(
    'merge_method: tsv_m\nbase_model: tall-base\nmodels: [{model: tall-a}, {model: tall-b}]',
    [{ threads: 1 }, { threads: 0 }, { threads: 3, cacheBytes: 0 }],
  )
  expect(Object.keys(first!)).toContain('model.safetensors')
  for (const other of others) expect(other).toEqual(first)
})

test('shards are filled in any order', { timeout: 30_000 }, async () => {
  const [one, three] = await filesOf(recipes['linear']!, [
    { threads: 1, shardBytes: 500_000 },
    { threads: 3, shardBytes: 500_000 },
  ])
  expect(Object.keys(one!)).toContain('model-00003-of-00003.safetensors')
  expect(three).toEqual(one)
})
