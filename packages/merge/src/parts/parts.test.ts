import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { builtinMethods, defineMethod } from '@mk/methods'
import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, wasmRuntime } from '../__fixtures__/merge.ts'
import { bytesIn, type LlamaOptions, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { finishIn, makeParts, partRun, planFileIn } from '../__fixtures__/parts.ts'
import { madeCases } from '../../../gguf/src/convert/__fixtures__/cases.ts'
import { writeCase } from '../__fixtures__/gguf-cases.ts'
import type { PrepareSettings } from '../prepare/prepare-merge.ts'
import { findParts } from './finish-merge.ts'
import { listParts } from './partition.ts'
import { runPart } from './run-part.ts'

const folder = useFolder()
const path = (name: string) => join(folder.path, name)

const linear = 'merge_method: linear\nmodels: [{model: a}, {model: b}]\nparameters: {weight: [0.3, 0.7]}\n'
const dareTies =
  'merge_method: dare_ties\nbase_model: a\nmodels: [{model: b}, {model: c}]\nparameters: {weight: 0.5, density: 0.6}\n'

interface Case {
  readonly text: string
  readonly models?: Readonly<Record<string, LlamaOptions>>
  readonly prepare?: PrepareSettings
}

/** A tensor that is large enough to be shared. */
const large: LlamaOptions = {
  extra: {
    'model.layers.0.self_attn.q_proj.weight': { dtype: 'BF16', shape: [2048, 600], value: (index) => index % 251 },
  },
}
const cases: Readonly<Record<string, Case>> = {
  'linear, sharded': { text: linear, prepare: { shardBytes: 200 } },
  'linear, one tensor shared by parts': { text: linear, models: { a: large, b: large } },
  'a copy, shared by parts': { text: 'merge_method: passthrough\nmodels: [{model: a}]', models: { a: large } },
  'dare_ties, in bfloat16, with a seed': { text: `${dareTies}dtype: bfloat16\n`, prepare: { seed: 7 } },
  'weights that follow from norms over all parts': {
    text: 'merge_method: ties\nbase_model: a\nmodels: [{model: b}, {model: c}]\nparameters: {weight: metagpt, density: 0.5}\n',
  },
  'merges of merges': {
    text: `name: inner\n${dareTies}---\nmerge_method: slerp\nbase_model: inner\nmodels: [{model: b}]\nparameters: {t: 0.3}\n`,
  },
  'an adapter by a method of whole matrices': {
    text: 'merge_method: tsv_m\nbase_model: a\nmodels: [{model: b}, {model: c}]\nout_format: lora\nrank: 2\n',
  },
  'an adapter': {
    text: 'merge_method: ties\nbase_model: a\nmodels: [{model: b}, {model: c}]\nparameters: {weight: 0.5}\nout_format: lora\nrank: 2\n',
  },
  'NaN in an input': {
    text: linear,
    models: { a: { extra: { 'model.norm.weight': { shape: [4], value: () => Number.NaN } } }, b: {} },
  },
}

describe.each(Object.entries(cases))('%s', (_, { text, models = { a: {}, b: {}, c: {} }, prepare }) => {
  test.each([1, 5])('in %i parts has the bytes of one run', async (of) => {
    await writeLlamas(folder.path, models)
    const settings = { name: 'x', ...prepare }
    const whole = await mergeIn(folder.path, text, { runtime: wasmRuntime, out: path('whole'), prepare: settings })
    const file = await planFileIn(folder.path, text, settings)
    const parts = await makeParts(file, path('out'), of)
    const result = await finishIn(file, path('out'))
    // A plan file has the numbers, and nothing of where they come from.
    const { weights: _weights, ...told } = whole.result
    expect(result).toEqual(told)
    expect(await bytesIn(path('out'))).toEqual(await bytesIn(path('whole')))
    // Those of a share are rounded.
    const sum = parts.reduce((total, { writtenBytes }) => total + writtenBytes, 0)
    expect(Math.abs(sum - result.writtenBytes)).toBeLessThan(of)
    expect(existsSync(path('out.partial'))).toBe(false)
  })
})

test('a GGUF in parts has the bytes of one run', async () => {
  await writeCase(path('a'), madeCases[0]!)
  const text = 'merge_method: passthrough\nmodels: [{model: a}]'
  const prepare = { outFormat: 'gguf', outDtype: 'q8_0', name: 'x' } as const
  await mergeIn(folder.path, text, { runtime: wasmRuntime, out: path('whole'), prepare })
  const file = await planFileIn(folder.path, text, prepare)
  await makeParts(file, path('out'), 4)
  await finishIn(file, path('out'))
  expect(await bytesIn(path('out'))).toEqual(await bytesIn(path('whole')))
})

describe('parts of an output', () => {
  const whole = async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await mergeIn(folder.path, linear, { runtime: wasmRuntime, out: path('whole'), prepare: { name: 'x' } })
    return planFileIn(folder.path, linear, { name: 'x' })
  }

  test('may be made in any order, twice, and at once', async () => {
    const file = await whole()
    await Promise.all([
      makeParts(file, path('out'), 5, { order: [4, 2, 2] }),
      makeParts(file, path('out'), 5, { order: [2, 5, 1] }),
    ])
    expect(await findParts(file, { out: path('out') })).toEqual([{ of: 5, done: [1, 2, 4, 5], missing: [3] }])
    const [again] = await makeParts(file, path('out'), 5, { order: [4] })
    expect(again).toMatchObject({ part: 4, of: 5, resumedTensors: again!.tensorCount })
    await makeParts(file, path('out'), 5, { order: [3] })
    await Promise.allSettled([finishIn(file, path('out')), finishIn(file, path('out'))])
    await finishIn(file, path('out'))
    expect(await bytesIn(path('out'))).toEqual(await bytesIn(path('whole')))
  })

  test('that were interrupted go on, also after the plan was made again', async () => {
    const file = await whole()
    const stop = new AbortController()
    const onProgress = ({ finishedTensors }: { finishedTensors: number }) => {
      if (finishedTensors >= 3) stop.abort()
    }
    const interrupted = makeParts(file, path('out'), 2, { signal: stop.signal, onProgress })
    await expectIssue(interrupted, 'interrupted', { folder: path('out.partial') })
    const [first] = await makeParts(await planFileIn(folder.path, linear, { name: 'x' }), path('out'), 2)
    expect(first!.resumedTensors).toBeGreaterThanOrEqual(3)
    expect(first!.resumedTensors).toBeLessThan(first!.tensorCount + 1)
    await finishIn(file, path('out'))
    expect(await bytesIn(path('out'))).toEqual(await bytesIn(path('whole')))
  })

  test('that are missing are named, and nothing is finished without them', async () => {
    const file = await whole()
    const message = await expectIssue(finishIn(file, path('out')), 'parts-missing', { of: 0 })
    expect(message).toContain('no part is done')
    await makeParts(file, path('out'), 6, { order: [2, 6] })
    expect(await expectIssue(finishIn(file, path('out')), 'parts-missing', { of: 6, missing: [1, 3, 4, 5] })).toMatch(
      /4 parts of 6 are not done in .*: 1, 3–5$/,
    )
    expect(existsSync(path('out'))).toBe(false)
    await makeParts(file, path('out'), 1)
    await finishIn(file, path('out'))
    expect(await bytesIn(path('out'))).toEqual(await bytesIn(path('whole')))
  })

  test('and their end are content with what is done', async () => {
    const file = await whole()
    await makeParts(file, path('out'), 2)
    const result = await finishIn(file, path('out'))
    expect(await finishIn(file, path('out'))).toMatchObject({ tensorCount: result.tensorCount })
    const [late] = await makeParts(file, path('out'), 2, { order: [2] })
    expect(late!.resumedTensors).toBe(late!.tensorCount)
    expect(existsSync(path('out.partial'))).toBe(false)
    // What only looks alike is somebody's own.
    await utimes(path('out/model.safetensors'), 1, 1)
    await expectIssue(makeParts(file, path('out'), 2), 'output-exists')
    await expectIssue(finishIn(file, path('out')), 'output-exists')
    await makeParts(file, path('out'), 2, { overwrite: true })
    await finishIn(file, path('out'), { overwrite: true })
    expect(await bytesIn(path('out'))).toEqual(await bytesIn(path('whole')))
  })

  test('are refused where somebody else writes', async () => {
    const file = await whole()
    const other = await planFileIn(folder.path, linear.replace('0.3', '0.4'))
    await makeParts(file, path('out'), 2, { order: [1] })
    await expectIssue(makeParts(other, path('out'), 2), 'output-of-parts', { isOther: true })
    await expectIssue(finishIn(other, path('out')), 'output-of-parts', { isOther: true })
    await expectIssue(mergeIn(folder.path, linear), 'output-of-parts', { isOther: false })
    await mkdir(path('mine.partial'))
    await writeFile(path('mine.partial/thesis.txt'), '')
    await expectIssue(makeParts(file, path('mine'), 2), 'output-exists')
    const stop = new AbortController()
    stop.abort()
    await mergeIn(folder.path, linear, { out: path('one'), signal: stop.signal }).catch(() => {})
    await expectIssue(makeParts(file, path('one'), 2), 'output-of-one-run')
  })

  test('whose files are gone or cut are not taken for done', async () => {
    const file = await whole()
    await makeParts(file, path('out'), 2, { order: [1] })
    await truncate(path('out.partial/model.safetensors'), 100)
    await expectIssue(makeParts(file, path('out'), 2, { order: [2] }), 'parts-lost', { file: 'model.safetensors' })
    await rm(path('out.partial'), { recursive: true })
    await makeParts(file, path('out'), 2)
    await writeFile(path('out.partial/model.safetensors'), new Uint8Array(file.plan.files[0]!.fileBytes))
    await expectIssue(finishIn(file, path('out')), 'parts-lost')
    expect(existsSync(path('out'))).toBe(false)
  })

  test('with values that are not finite end with --strict, each part and the whole', async () => {
    await writeLlamas(folder.path, cases['NaN in an input']!.models!)
    const file = await planFileIn(folder.path, linear)
    await expectIssue(makeParts(file, path('out'), 1, { strict: true }), 'values-not-finite')
    await makeParts(file, path('out'), 2)
    const found = 'model.norm.weight: 4 in a, 4 in the result'
    await expectIssue(finishIn(file, path('out'), { strict: true }), 'values-not-finite', { found })
    expect(existsSync(path('out'))).toBe(false)
    const { nonFinite } = await finishIn(file, path('out'))
    expect(nonFinite).toMatchObject([{ tensor: 'model.norm.weight', results: 4 }])
  })
})

describe('inputs', () => {
  test.each<[string, () => Promise<unknown>, 'planned-input-changed' | 'planned-input-gone']>([
    ['changed in size', () => truncate(path('b/model.safetensors'), 300), 'planned-input-changed'],
    ['of another time', () => utimes(path('b/model.safetensors'), 1, 1), 'planned-input-changed'],
    ['whose config changed', () => utimes(path('b/config.json'), 1, 1), 'planned-input-changed'],
    ['that are gone', () => rm(path('b/model.safetensors')), 'planned-input-gone'],
  ])('%s are refused, and nothing is written', async (_, change, code) => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const file = await planFileIn(folder.path, linear)
    await change()
    await expectIssue(makeParts(file, path('out'), 2), code)
    expect(existsSync(path('out.partial'))).toBe(false)
  })

  test('written anew, with their old size and time, are refused', async () => {
    await writeLlamas(folder.path, { a: {}, b: {}, c: { seed: 9 } })
    await utimes(path('b/model.safetensors'), 1000, 1000)
    const file = await planFileIn(folder.path, linear)
    await cp(path('c/model.safetensors'), path('b/model.safetensors'))
    await utimes(path('b/model.safetensors'), 1000, 1000)
    await expectIssue(makeParts(file, path('out'), 2), 'planned-input-changed')
  })

  test('elsewhere are found by --map-path, also copies with times of their own, but no others', async () => {
    await writeLlamas(folder.path, { a: {}, b: {}, c: { seed: 9 } })
    await mergeIn(folder.path, linear, { runtime: wasmRuntime, out: path('whole'), prepare: { name: 'x' } })
    const file = await planFileIn(folder.path, linear, { name: 'x' })
    await mkdir(path('there'))
    await rename(path('a'), path('there/a'))
    await cp(path('b'), path('copy'), { recursive: true })
    await rm(path('b'), { recursive: true })
    const mapPaths = [
      { from: `${path('b')}/`, to: path('copy') },
      { from: folder.path, to: path('there') },
    ]
    await expectIssue(makeParts(file, path('out'), 2), 'planned-input-gone')
    await makeParts(file, path('out'), 2, { mapPaths })
    await finishIn(file, path('out'), { mapPaths })
    expect(await bytesIn(path('out'))).toEqual(await bytesIn(path('whole')))
    await expectIssue(
      makeParts(file, path('other'), 2, { mapPaths: [{ from: path('b'), to: path('c') }, ...mapPaths] }),
      'planned-input-changed',
      { isCopy: true },
    )
  })

  test('need not be there where a part reads nothing of them', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const file = await planFileIn(folder.path, linear)
    await rm(path('b'), { recursive: true })
    const empty = (await listParts(file, 40)).find(({ tensors }) => tensors.length === 0)!
    expect(await makeParts(file, path('out'), 40, { order: [empty.part] })).toMatchObject([{ tensorCount: 0 }])
    expect(await readdir(path('out.partial'))).toContain('model.safetensors')
  })
})

describe('what carries a plan out', () => {
  const own = (bias: number) =>
    defineMethod({
      name: 'mine',
      summary: 'x',
      base: 'none',
      models: { min: 1 },
      parameters: { perModel: {}, methodWide: {} },
      merge: bias === 0 ? ({ models }) => models[0]! : ({ models }) => models.at(-1)!,
    })

  test('is the method and the runtime of the plan', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const text = 'merge_method: mine\nmodels: [{model: a}, {model: b}]'
    const methods = new Map([...builtinMethods, ['mine', own(0)]])
    const file = await planFileIn(folder.path, text, { methods })
    expect(file.methods).toMatchObject([{ name: 'mine' }])
    await expectIssue(makeParts(file, path('out'), 1), 'plan-method', { isHere: false })
    const others = new Map([['mine', own(1)]])
    await expectIssue(makeParts(file, path('out'), 1, { methods: others }), 'plan-method', { isHere: true })
    await expectIssue(
      makeParts(file, path('out'), 1, { methods, runtime: { ...wasmRuntime, name: 'gpu', options: { mode: 'x' } } }),
      'plan-runtime',
      { planned: 'wasm', found: 'gpu:x' },
    )
    await expectIssue(makeParts({ ...file, program: '0.0.1' }, path('out'), 1, { methods }), 'plan-program')
    await makeParts(file, path('out'), 1, { methods })
    await finishIn(file, path('out'), { methods })
  })
})

test.each([
  [0, 3],
  [4, 3],
  [1.5, 3],
  [1, 0],
])('part %d of %d is none', async (part, of) => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  const file = await planFileIn(folder.path, linear)
  await expectIssue(runPart(file, { ...partRun, out: path('out'), part, of }), 'part-number')
})
