import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ProcessRequest, type ProcessResult, runProcess } from '../__fixtures__/run-process.ts'
import { type LlamaOptions, writeLlamas } from '../__fixtures__/models.ts'

const folder = mkdtempSync(join(tmpdir(), 'mk-threads-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
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

const tall = (seed: number): LlamaOptions => {
  const value = (index: number) => Math.sin(index * 0.37) + 0.01 * Math.sin(seed * (index + 1) ** 1.3)
  return {
    extra: {
      'model.layers.0.mlp.down_proj.weight': { dtype: 'BF16', shape: [8, 132_000], value },
      'model.layers.0.mlp.up_proj.weight': { dtype: 'BF16', shape: [132_000, 8], value },
    },
  }
}
const matrices = 'merge_method: tsv_m\nbase_model: tall-base\nmodels: [{model: tall-a}, {model: tall-b}]'

type Run = Partial<ProcessRequest> & { readonly text: string }
const runsOf: readonly Run[] = [
  ...Object.values(recipes).flatMap((text): Run[] => [
    { text, threads: 1 },
    { text, threads: 0 },
    { text, threads: 3, cacheBytes: 0 },
    { text, threads: 2, runtime: 'reference' },
    { text, threads: 2, runtime: 'default', ownWorkers: true },
  ]),
  { text: matrices, threads: 1 },
  { text: matrices, threads: 0 },
  { text: matrices, threads: 3, cacheBytes: 0 },
  { text: recipes['linear']!, threads: 1, shardBytes: 500_000 },
  { text: recipes['linear']!, threads: 3, shardBytes: 500_000 },
]
/** What each run wrote, all of them in one process. */
const written = new Map<Run, ProcessResult>()
beforeAll(async () => {
  await writeLlamas(folder, { base: large(1), a: large(2), b: large(3) })
  await writeLlamas(folder, { 'tall-base': tall(1), 'tall-a': tall(2), 'tall-b': tall(3) })
  const requests = runsOf.map((run, index) => ({
    file: join(folder, 'recipe.yml'),
    out: join(folder, `out-${index}`),
    threads: 1,
    ...run,
  }))
  const { results } = await runProcess(requests, { timeoutMs: 170_000 })
  for (const [index, run] of runsOf.entries()) written.set(run, results[index]!)
}, 180_000)

function filesOf(recipe: string, isSharded = false) {
  const runs = runsOf.filter(({ text, shardBytes }) => text === recipe && (shardBytes !== undefined) === isSharded)
  return runs.map((run) => written.get(run)!.error ?? written.get(run)!.files)
}

test.each([...Object.entries(recipes), ['tsv_m', matrices]] as const)(
  '%s writes the same bytes for any number of threads, any memory between passes and on any runtime',
  (_, recipe) => {
    const [first, ...others] = filesOf(recipe)
    expect(Object.keys(first!)).toContain('model.safetensors')
    expect(others.length).toBeGreaterThanOrEqual(2)
    for (const other of others) expect(other).toEqual(first)
  },
)

test('shards are filled in any order', () => {
  const [one, three] = filesOf(recipes['linear']!, true)
  expect(Object.keys(one!)).toContain('model-00003-of-00003.safetensors')
  expect(three).toEqual(one)
})
