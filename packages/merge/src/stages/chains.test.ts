import { mkdtempSync, rmSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { builtinMethods } from '@mk/methods'
import { afterAll, describe, expect, test } from 'vitest'
import { referenceRuntime, wasmRuntime } from '../__fixtures__/merge.ts'
import { type LoadedTensor, loadFolder, readJson, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { prepareMerge } from '../node/prepare-merge.ts'
import { runMerge } from '../node/run-merge.ts'

const goldens = fileURLToPath(new URL('../../../../goldens/', import.meta.url))
const outputs = mkdtempSync(join(tmpdir(), 'mk-chains-'))
afterAll(() => rmSync(outputs, { recursive: true, force: true }))
const folder = useFolder()
let count = 0

async function merge(text: string, roundIntermediates: boolean, runtime = referenceRuntime) {
  const out = join(outputs, String(++count))
  const roots = [folder.path, goldens]
  const prepared = await prepareMerge({ text, methods: builtinMethods, roots, roundIntermediates, seed: 7 })
  await runMerge(prepared.plan, { out, methods: prepared.methods, runtime, threads: 0, cacheBytes: 2 ** 20 })
  return { out, tensors: await loadFolder(out), config: await readJson(join(out, 'config.json')), plan: prepared.plan }
}

/** Each recipe calls those before it NAME; here by the folders that they were written to, there by their names. */
async function bothWays(recipes: Readonly<Record<string, string>>, runtime = referenceRuntime) {
  const names = Object.keys(recipes)
  const written = new Map<string, string>()
  const withFolders = (text: string) => text.replace(/<(\w+)>/g, (_, name: string) => written.get(name)!)
  let staged: Awaited<ReturnType<typeof merge>> | undefined
  for (const name of names) {
    staged = await merge(withFolders(recipes[name]!), false, runtime)
    written.set(name, staged.out)
  }
  const text = names
    .map(
      (name, index) =>
        `${index < names.length - 1 ? `name: ${name}\n` : ''}${recipes[name]!.replace(/<(\w+)>/g, '$1')}\n`,
    )
    .join('---\n')
  return { staged: staged!, rounded: await merge(text, true, runtime), exact: await merge(text, false, runtime) }
}

/** How far from one another the values of two merges are at most, relative to the size of the tensor. */
function distance(a: Record<string, LoadedTensor>, b: Record<string, LoadedTensor>): number {
  return Math.max(
    ...Object.entries(a).map(([name, { values }]) => {
      const size = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
      return Math.max(...values.map((value, i) => Math.abs(value - b[name]!.values[i]!))) / size
    }),
  )
}

/** The share of elements that are farther from one another than rounding to 8 bits explains. */
function shareOff(a: Record<string, LoadedTensor>, b: Record<string, LoadedTensor>): number {
  const all = Object.entries(a).flatMap(([name, { values }]) => {
    const size = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
    return values.map((value, i) => Math.abs(value - b[name]!.values[i]!) > 2 ** -6 * Math.max(size, Math.abs(value)))
  })
  return all.filter(Boolean).length / all.length
}

const steps = [
  'merge_method: linear\nmodels: [{model: A}, {model: B}]\nparameters: {weight: 0.5}',
  'merge_method: slerp\nbase_model: A\nmodels: [{model: B}]\nparameters: {t: 0.4}',
  'merge_method: task_arithmetic\nbase_model: A\nmodels: [{model: B}, {model: C}]\nparameters: {weight: 0.6}',
  'merge_method: ties\nbase_model: A\nmodels: [{model: B}, {model: C}]\nparameters: {weight: 1, density: 0.4}',
  'merge_method: dare_ties\nbase_model: A\nmodels: [{model: B}, {model: C}]\nparameters: {weight: 1, density: 0.5}',
  'merge_method: della_linear\nbase_model: A\nmodels: [{model: B}]\nparameters: {weight: 1, density: 0.5}',
  'merge_method: breadcrumbs\nbase_model: A\nmodels: [{model: B}]\nparameters: {weight: 1, density: 0.7}',
  'merge_method: nuslerp\nmodels: [{model: A}, {model: B}]\nparameters: {weight: 1, nuslerp_row_wise: true, nuslerp_flatten: false}',
  'merge_method: karcher\nmodels: [{model: A}, {model: B}, {model: C}]',
  'merge_method: model_stock\nbase_model: A\nmodels: [{model: B}, {model: C}]',
  'merge_method: sce\nbase_model: A\nmodels: [{model: B}, {model: C}]\nparameters: {select_topk: 0.5}',
  'merge_method: arcee_fusion\nbase_model: A\nmodels: [{model: B}]',
  'merge_method: nearswap\nbase_model: A\nmodels: [{model: B}]\nparameters: {t: 0.05}',
  'merge_method: passthrough\nmodels: [{model: {base: A, plus: [{model: B, weight: 0.5}, {model: C, weight: -0.25}]}}]',
]
const dtypes = ['float32', 'bfloat16', 'float16'] as const

test('random chains give the bytes of stages where what is in between is rounded', async () => {
  await writeLlamas(folder.path, { a: {}, b: { dtype: 'BF16' }, c: {}, d: { dtype: 'F16' } })
  const step = fc.record({
    recipe: fc.constantFrom(...steps),
    dtype: fc.constantFrom(...dtypes, undefined),
    picks: fc.array(fc.nat(5), { minLength: 3, maxLength: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 4 }), async (chain) => {
      const recipes = Object.fromEntries(
        chain.map(({ recipe, dtype, picks }, index) => {
          const known = ['a', 'b', 'c', 'd', ...chain.slice(0, index).map((_, before) => `<s${before}>`)]
          // No model twice, and the step before among them.
          const chosen = [...new Set([known.at(-1)!, ...picks.map((pick) => known[pick % known.length]!), ...known])]
          const text = recipe.replace(/\b([ABC])\b/g, (_, letter: string) => chosen['ABC'.indexOf(letter)]!)
          return [`s${index}`, `${text}${dtype === undefined ? '' : `\ndtype: ${dtype}`}`]
        }),
      )
      const { staged, rounded } = await bothWays(recipes)
      expect(rounded.tensors).toEqual(staged.tensors)
    }),
    { numRuns: 8, seed: 3 },
  )
})

describe('without rounding, a chain is more precise', () => {
  test('by as much as the steps round', async () => {
    await writeLlamas(folder.path, { a: {}, b: {}, c: {} })
    const { staged, exact, rounded } = await bothWays({
      first: 'merge_method: linear\nmodels: [{model: a}, {model: b}]\nparameters: {weight: 1}\ndtype: bfloat16',
      last: 'merge_method: slerp\nbase_model: <first>\nmodels: [{model: c}]\nparameters: {t: 0.3}\ndtype: float32',
    })
    expect(distance(rounded.tensors, staged.tensors)).toBe(0)
    expect(distance(exact.tensors, staged.tensors)).toBeGreaterThan(0)
    expect(distance(exact.tensors, staged.tensors)).toBeLessThan(2 ** -7)
  })
})

describe('vocabularies follow through a chain', () => {
  const union =
    'merge_method: linear\nmodels: [{model: models/llama-ft1}, {model: models/llama-other}]\nparameters: {weight: 1}\ntokenizer: {source: union}'
  const recipes = {
    'a union, then a method that sorts rows': {
      first: `${union}\ndtype: bfloat16`,
      last: 'merge_method: della\nbase_model: models/llama-base\nmodels: [{model: <first>}]\nparameters: {weight: 1, density: 0.5}\ntokenizer: {source: union}\ndtype: float32',
    },
    'averaged rows, then the base’s vocabulary': {
      first:
        'merge_method: linear\nmodels: [{model: models/llama-ft1}, {model: models/llama-other}]\nparameters: {weight: 1}\ntokenizer_source: union\ndtype: float16',
      last: 'merge_method: ties\nbase_model: models/llama-base\nmodels: [{model: <first>}, {model: models/llama-ft2}]\nparameters: {weight: 1, density: 0.5}\ntokenizer: {source: base}',
    },
    'a vocabulary taken from a merge, and cut rows': {
      first: `${union}\ndtype: float32`,
      last: 'merge_method: linear\nmodels: [{model: models/llama-ft2}, {model: <first>}]\nparameters: {weight: 1}\nbase_model: models/llama-ft2',
    },
    'stacked layers of merges': {
      first:
        'merge_method: slerp\nbase_model: models/llama-ft1\nmodels: [{model: models/llama-ft2}]\nparameters: {t: [0, 1]}\ndtype: bfloat16',
      second:
        'merge_method: passthrough\nslices: [{sources: [{model: <first>, layer_range: [0, 3]}]}, {sources: [{model: models/llama-ft3, layer_range: [1, 4]}]}]\ndtype: bfloat16',
      last: 'merge_method: linear\nslices: [{sources: [{model: <second>, layer_range: [2, 6]}, {model: models/llama-ft1, layer_range: [0, 4]}]}]\nparameters: {weight: 1}',
    },
    'an adapter over a merge': {
      first:
        'merge_method: linear\nmodels: [{model: models/llama-ft1}, {model: models/llama-ft2}]\nparameters: {weight: 1}\ndtype: bfloat16',
      last: 'merge_method: ties\nbase_model: <first>\nmodels: [{model: <first>+models/lora-qvd}]\nparameters: {weight: 1, density: 0.5}\ndtype: float32',
    },
  }
  test.each(Object.entries(recipes))('%s', async (_, chain) => {
    const { staged, rounded, exact } = await bothWays(chain, wasmRuntime)
    expect(rounded.tensors).toEqual(staged.tensors)
    expect(rounded.config).toEqual(staged.config)
    // Beside what is rounded, an element now and then is on the other side of a threshold.
    expect(shareOff(exact.tensors, staged.tensors)).toBeLessThan(0.02)
    expect(await loadTexts(rounded.out)).toEqual(await loadTexts(staged.out))
  })
})

async function loadTexts(out: string): Promise<Record<string, string>> {
  const names = (await readdir(out)).filter((name) => !/safetensors|README|mergekit_config/.test(name))
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(out, name), 'utf8')])),
  )
}
