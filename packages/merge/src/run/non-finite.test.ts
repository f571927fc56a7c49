import { readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { builtinMethods } from '@mk/methods'
import type { Dtype } from '@mk/safetensors'
import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, prepareIn, referenceRuntime, wasmRuntime } from '../__fixtures__/merge.ts'
import { type TinyTensor, useFolder, writeModel } from '../__fixtures__/models.ts'
import { describeNonFinite } from '@mk/tensor'
import { countNonFinite } from './non-finite.ts'
import { runMerge } from '../node/run-merge.ts'

const folder = useFolder()
const config = { model_type: 'unheard-of' }
/** One tensor in which some elements are given, and one that is finite. */
const model = (name: string, given: Readonly<Record<number, number>>, dtype: Dtype = 'F32', size = 64) => {
  const tensors: Record<string, TinyTensor> = {
    v: { shape: [8] },
    w: { dtype, shape: [size / 8, 8], value: (index) => given[index] ?? Math.sin(index + name.length) },
  }
  return writeModel(join(folder.path, name), { config, tensors, seed: name.length })
}

const settings: Readonly<Record<string, string>> = {
  slerp: 't: 0.4',
  nearswap: 't: 0.01',
  fisher: 'importance: importance',
  masked_task_arithmetic: 'mask: importance',
  regmean: 'statistics: importance',
}
/** How important each element is, or what inputs have in common, for methods that ask: 1 each. */
const writeImportance = () =>
  writeModel(join(folder.path, 'importance'), {
    config,
    tensors: { v: { shape: [8], value: () => 1 }, w: { shape: [8, 8], value: () => 1 } },
  })
const recipeOf = (name: string, more = ''): string => {
  const { base, models, parameters } = builtinMethods.get(name)!
  const values = [
    settings[name] ?? '',
    'weight' in parameters.perModel ? 'weight: 0.5' : '',
    'density' in parameters.perModel ? 'density: 0.5' : '',
  ].filter((text) => text !== '')
  return [
    `merge_method: ${name}`,
    `models: [${(models.max === 1 ? ['one'] : ['one', 'other']).map((label) => `{model: ${label}}`).join(', ')}]`,
    base === 'required' ? 'base_model: base' : '',
    `parameters: {${values.join(', ')}}`,
    more,
  ].join('\n')
}
const methods = [...builtinMethods.keys()]

describe.each([NaN, Infinity, -Infinity])('%d in one model', (value) => {
  test.each(methods)('%s tells of it, or ends with an error that has its name', async (name) => {
    await model('base', {})
    await model('one', { 13: value })
    await model('other', {})
    await writeImportance()
    const { plan, methods } = await prepareIn(folder.path, recipeOf(name))
    const merging = runMerge(plan, {
      out: join(folder.path, 'out'),
      methods,
      runtime: wasmRuntime,
      threads: 0,
      cacheBytes: 2 ** 20,
    })
    const told = await merging.then(
      ({ nonFinite }) => nonFinite.map(describeNonFinite),
      (error: { code: string; message: string }) => [`${error.code} ${error.message}`],
    )
    expect(told).toEqual([expect.stringMatching(/^w: 1 in one, |^not-finite w: one /)])
  })
})

test.each(methods)('%s has nothing to tell of finite models', async (name) => {
  for (const one of ['base', 'one', 'other']) await model(one, { 3: 1e4 })
  await writeImportance()
  const { result } = await mergeIn(folder.path, recipeOf(name), { runtime: wasmRuntime })
  expect(result.nonFinite).toEqual([])
})

const stored: readonly [string, number][] = [
  ['float16', 1e5],
  ['bfloat16', 3.399e38],
  ['float8_e5m2', 7e4],
  ['float8_e4m3fn', 500],
]
test.each(stored)('what %s cannot hold is counted as overflow, by each runtime', async (dtype, value) => {
  await model('one', { 7: value, 8: -value, 9: Infinity })
  await model('other', { 7: value, 8: -value })
  for (const runtime of [referenceRuntime, wasmRuntime]) {
    for (const recipe of [recipeOf('linear', `dtype: ${dtype}`), recipeOf('passthrough', `dtype: ${dtype}`)]) {
      const { result, tensors } = await mergeIn(folder.path, recipe, { runtime, overwrite: true })
      const inputs = [{ model: 'one', count: 1 }]
      expect(result.nonFinite).toMatchObject([{ tensor: 'w', inputs, results: 3, overflow: 2 }])
      expect(tensors['w']!.values.filter((x) => !Number.isFinite(x)).length).toBe(3)
    }
  }
})

test('a sum past float32 is counted', async () => {
  for (const name of ['one', 'other'])
    await model(name, Object.fromEntries(Array.from({ length: 64 }, (_, i) => [i, 3e38])))
  const recipe =
    'merge_method: linear\nmodels: [{model: one}, {model: other}]\nparameters: {weight: 1, normalize: false}'
  const { result } = await mergeIn(folder.path, recipe)
  expect(result.nonFinite).toEqual([{ tensor: 'w', dtype: 'F32', inputs: [], results: 64, overflow: 64 }])
})

test('a float64 past float32 overflows where there is arithmetic, and is finite where it is copied', async () => {
  for (const name of ['one', 'other']) {
    await model(name, {}, 'F64')
    const file = join(folder.path, name, 'model.safetensors')
    const bytes = await readFile(file)
    bytes.writeDoubleLE(1e300, bytes.length - 8)
    await writeFile(file, bytes)
  }
  const { result } = await mergeIn(folder.path, recipeOf('linear', 'dtype: float64'))
  expect(result.nonFinite).toEqual([{ tensor: 'w', dtype: 'F64', inputs: [], results: 1, overflow: 1 }])
  expect(result.nonFinite.map(describeNonFinite)).toEqual([
    'w: 1 in the result, by overflow (arithmetic is float32, which ends at 3.4e38)',
  ])
  const copied = await mergeIn(folder.path, recipeOf('passthrough'), { overwrite: true })
  expect(copied.result.nonFinite).toEqual([])
})

test('counts of chunks and tensors add up', async () => {
  const size = 3 * 2 ** 17 + 8
  await model('one', { 0: NaN, 200_000: NaN, [size - 1]: Infinity }, 'BF16', size)
  await model('other', { 0: NaN, 300_000: -Infinity }, 'BF16', size)
  for (const name of ['linear', 'passthrough']) {
    const { result } = await mergeIn(folder.path, recipeOf(name), { runtime: wasmRuntime, overwrite: true })
    const inputs = [{ model: 'one', count: 3 }, ...(name === 'linear' ? [{ model: 'other', count: 2 }] : [])]
    expect(result.nonFinite).toEqual([
      { tensor: 'w', dtype: 'BF16', inputs, results: name === 'linear' ? 4 : 3, overflow: 0 },
    ])
  }
})

test('strict ends the merge with what it found, and nothing is there', async () => {
  await model('one', { 3: NaN })
  await model('other', {})
  const message = await expectIssue(mergeIn(folder.path, recipeOf('linear'), { strict: true }), 'values-not-finite')
  expect(message).toContain('w: 1 in one, 1 in the result')
  expect([existsSync(join(folder.path, 'out')), existsSync(join(folder.path, 'out.partial'))]).toEqual([false, false])
})

test('an interrupted merge knows what its first part found', async () => {
  await writeModel(join(folder.path, 'one'), {
    config,
    tensors: Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`x.${i}.w`, { shape: [4], value: () => NaN }])),
  })
  const recipe = 'merge_method: passthrough\nmodels: [{model: one}]'
  const stopping = new AbortController()
  const first = mergeIn(folder.path, recipe, {
    signal: stopping.signal,
    onProgress: ({ finishedTensors }) => finishedTensors >= 3 && stopping.abort(),
  })
  await expectIssue(first, 'interrupted')
  const { result } = await mergeIn(folder.path, recipe)
  expect(result.resumedTensors).toBeGreaterThan(0)
  expect(result.nonFinite.map(({ tensor, results }) => [tensor, results])).toEqual(
    Array.from({ length: 6 }, (_, i) => [`x.${i}.w`, 4]),
  )
})

test('a journal with nonsense for counts does not stop the merge, and nothing is told of it', async () => {
  await writeModel(join(folder.path, 'one'), {
    config,
    tensors: Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`x.${i}.w`, { shape: [4] }])),
  })
  const recipe = 'merge_method: passthrough\nmodels: [{model: one}]'
  for (const nonFinite of [
    7,
    [null],
    [[0]],
    [[0, null]],
    [[99, { results: 1, overflow: 0, inputs: [1] }]],
    [[0, { results: -1 }]],
  ]) {
    const stopping = new AbortController()
    const onProgress = () => stopping.abort()
    const first = mergeIn(folder.path, recipe, { signal: stopping.signal, onProgress, overwrite: true })
    await expectIssue(first, 'interrupted')
    const journal = join(folder.path, 'out.partial', 'journal.json')
    const written = JSON.parse(await readFile(journal, 'utf8')) as object
    await writeFile(journal, JSON.stringify({ ...written, nonFinite }))
    expect((await mergeIn(folder.path, recipe, { overwrite: true })).result.nonFinite).toEqual([])
  }
})

test('counting tells inputs, results, and results whose inputs are finite', () => {
  const of = (...values: number[]) => ({
    dtype: 'F32' as const,
    bytes: new Uint8Array(Float32Array.from(values).buffer),
  })
  expect(countNonFinite(4, [of(NaN, 1, 1, 1), undefined, of(NaN, -Infinity, 1, 1)], of(1, NaN, Infinity, 1))).toEqual({
    results: 2,
    overflow: 1,
    inputs: [1, 0, 2],
  })
})
