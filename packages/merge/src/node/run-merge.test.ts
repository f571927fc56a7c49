import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineMethod, z, MethodError } from '@mk/methods'
import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, prepareIn, referenceRuntime, wasmRuntime } from '../__fixtures__/merge.ts'
import { bytesIn, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { runMerge } from './run-merge.ts'

const folder = useFolder()
const linear =
  'merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 3}}]'
const slerp = 'merge_method: slerp\nbase_model: a\nparameters: {t: 0.4}\nmodels: [{model: a}, {model: b}]'

describe('a merge', () => {
  test('writes what its method computes, rounded to the dtype', async () => {
    const two = (value: number) =>
      ({
        dtype: 'BF16',
        extra: { 'model.norm.weight': { dtype: 'BF16', shape: [2], value: (index: number) => value + index } },
      }) as const
    await writeLlamas(folder.path, { a: two(1), b: two(5) })
    const { tensors, result } = await mergeIn(folder.path, linear)
    expect(tensors['model.norm.weight']).toEqual({ dtype: 'BF16', shape: [2], values: [4, 5] })
    const checksums = { 'model.safetensors': expect.stringMatching(/^[\da-f]{64}$/) }
    const counts = { tensorCount: 9, writtenBytes: expect.any(Number), resumedTensors: 0, nonFinite: [] }
    expect(result).toEqual({ ...counts, checksums })
  })

  test('reports progress up to all bytes and tensors, never backwards', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const seen: number[] = []
    let last = {}
    const { result } = await mergeIn(folder.path, slerp, {
      onProgress: (progress) => {
        seen.push(progress.writtenBytes)
        last = progress
      },
    })
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(last).toEqual({
      writtenBytes: result.writtenBytes,
      totalBytes: result.writtenBytes,
      finishedTensors: 9,
      tensorCount: 9,
      resumedTensors: 0,
    })
  })

  test.each([[linear], [slerp]])(
    'gives the same bytes on the reference and the WebAssembly runtime',
    async (recipe) => {
      await writeLlamas(folder.path, { a: { dtype: 'BF16' }, b: { dtype: 'BF16' } })
      const outs = ['reference', 'wasm'].map((name) => join(folder.path, name))
      await mergeIn(folder.path, recipe, { out: outs[0]!, runtime: referenceRuntime })
      await mergeIn(folder.path, recipe, { out: outs[1]!, runtime: wasmRuntime })
      expect(await bytesIn(outs[1]!)).toEqual(await bytesIn(outs[0]!))
    },
  )

  test('passes a method’s warnings on with the tensor they are about', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const warned: string[] = []
    await mergeIn(
      folder.path,
      'merge_method: ties\nbase_model: a\nparameters: {weight: 1, density: 0}\nmodels: [{model: b}]',
      { onWarning: (text) => warned.push(text) },
    )
    expect(warned[0]).toMatch(/^model\.embed_tokens\.weight: density 0 of b keeps none/)
  })

  test('replaces a folder with files only when asked', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await mkdir(join(folder.path, 'out'))
    await writeFile(join(folder.path, 'out', 'tokenizer.json'), '')
    await expectIssue(mergeIn(folder.path, linear), 'output-exists')
    await mergeIn(folder.path, linear, { overwrite: true })
    expect(await readdir(join(folder.path, 'out'))).not.toContain('tokenizer.json')
    expect((await readdir(folder.path)).toSorted()).toEqual(['a', 'b', 'out'])
  })
})

describe('a file that appears in the output folder during a merge', () => {
  const intruding = (name: string) =>
    defineMethod({
      name: 'intruding',
      summary: '',
      base: 'none',
      models: { min: 1 },
      parameters: { perModel: { weight: z.number() }, methodWide: {} },
      merge({ models }) {
        mkdirSync(join(folder.path, 'out'), { recursive: true })
        writeFileSync(join(folder.path, 'out', name), 'mine')
        return models[0]!
      },
    })
  const merge = (options: { readonly overwrite?: boolean }, name = 'mine.txt') =>
    mergeIn(folder.path, linear.replace('linear', 'intruding'), {
      prepare: { methods: new Map([['intruding', intruding(name)]]) },
      ...options,
    })

  test.each([{}, { overwrite: false }, { overwrite: true }])('is kept (%o)', async (options) => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await expect(merge(options)).rejects.toThrow(join(folder.path, 'out'))
    expect(await bytesIn(join(folder.path, 'out'))).toEqual({ 'mine.txt': Buffer.from('mine').toString('base64') })
  })

  test('is replaced where that was asked for, and it could be a merge’s', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await merge({ overwrite: true }, 'vocab.json')
    expect(await readdir(join(folder.path, 'out'))).not.toContain('vocab.json')
  })
})

const never = defineMethod({
  name: 'never',
  summary: '',
  base: 'none',
  models: { min: 1 },
  parameters: { perModel: { weight: z.number() }, methodWide: {} },
  merge: ({ models }, _, { tensorName }) => {
    if (tensorName.includes('layers.1'))
      throw new MethodError({ code: 'not-finite', tensor: tensorName, model: 0, name: 'a' })
    return models[0]!
  },
})

describe('a merge that fails', () => {
  test('rejects with the first error and leaves nothing', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await expectIssue(
      mergeIn(folder.path, linear.replace('linear', 'never'), {
        prepare: { methods: new Map([['never', never]]) },
      }),
      'not-finite',
    )
    expect((await readdir(folder.path)).toSorted()).toEqual(['a', 'b'])
  })

  test('keeps the folder that it was to replace', async () => {
    await writeLlamas(folder.path, { a: {}, b: {}, out: {} })
    const before = await bytesIn(join(folder.path, 'out'))
    await expectIssue(
      mergeIn(folder.path, linear.replace('linear', 'never'), {
        overwrite: true,
        prepare: { methods: new Map([['never', never]]) },
      }),
      'not-finite',
    )
    expect(await bytesIn(join(folder.path, 'out'))).toEqual(before)
  })

  test('does nothing more afterwards', async () => {
    await writeLlamas(folder.path, { a: { layers: 9 }, b: { layers: 9 } })
    let later = 0
    let failed = false
    const method = {
      ...never,
      merge: (...given: Parameters<(typeof never)['merge']>) => {
        if (failed) later++
        return never.merge(...given)
      },
    }
    await mergeIn(folder.path, linear.replace('linear', 'never'), {
      prepare: { methods: new Map([['never', method]]) },
    }).catch(() => (failed = true))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([failed, later]).toEqual([true, 0])
  })

  test('names an input that became shorter since it was planned', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const { plan, methods } = await prepareIn(folder.path, linear)
    const file = join(folder.path, 'b', 'model.safetensors')
    await truncate(file, (await stat(file)).size - 40)
    await expect(
      runMerge(plan, { out: join(folder.path, 'out'), methods, runtime: referenceRuntime, threads: 0 }),
    ).rejects.toMatchObject({ code: 'plan-outdated', issue: { file, isGone: false } })
    expect((await readdir(folder.path)).toSorted()).toEqual(['a', 'b'])
  })

  test.each(['config.json', 'tokenizer.json', 'model.safetensors'])(
    'notices that %s was saved anew since it was planned for, and writes nothing',
    async (name) => {
      await writeLlamas(folder.path, { a: { files: { 'tokenizer.json': '{}' } }, b: {} })
      const { plan, methods } = await prepareIn(folder.path, linear)
      const file = join(folder.path, 'a', name)
      await writeFile(file, await readFile(file))
      await expectIssue(
        runMerge(plan, { out: join(folder.path, 'out'), methods, runtime: referenceRuntime, threads: 0 }),
        'plan-outdated',
        { file },
      )
      expect((await readdir(folder.path)).toSorted()).toEqual(['a', 'b'])
    },
  )

  test('does not mind what is saved beside the files that were read', async () => {
    await writeLlamas(folder.path, { a: { files: { 'trainer_state.json': '{}', 'words.txt': 'a' } }, b: {} })
    const { plan, methods } = await prepareIn(folder.path, linear)
    for (const name of ['trainer_state.json', 'words.txt', 'later.txt'])
      await writeFile(join(folder.path, 'a', name), 'b')
    const out = join(folder.path, 'out')
    await runMerge(plan, { out, methods, runtime: referenceRuntime, threads: 0 })
    expect(await readFile(join(out, 'words.txt'), 'utf8')).toBe('b')
  })

  test('names an input that is gone since it was planned', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const { plan, methods } = await prepareIn(folder.path, linear)
    await rm(join(folder.path, 'b'), { recursive: true })
    await expect(
      runMerge(plan, { out: join(folder.path, 'out'), methods, runtime: referenceRuntime, threads: 0 }),
    ).rejects.toMatchObject({ code: 'plan-outdated', issue: { isGone: true } })
  })

  test('says so when the runtime does not start', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await expect(
      mergeIn(folder.path, linear, { runtime: { ...referenceRuntime, factory: 'createNothing' } }),
    ).rejects.toThrow(`has no export 'createNothing'`)
    expect(existsSync(join(folder.path, 'out.partial'))).toBe(false)
  })

  test('names a small file that cannot be copied', async () => {
    await writeLlamas(folder.path, { a: { files: { 'voices/en.txt': 'a' } }, b: {} })
    const { plan, methods } = await prepareIn(folder.path, linear)
    await rm(join(folder.path, 'a', 'voices', 'en.txt'))
    const message = await expectIssue(
      runMerge(plan, { out: join(folder.path, 'out'), methods, runtime: referenceRuntime, threads: 0 }),
      'copy-unreadable',
    )
    expect(message).toContain(join('a', 'voices', 'en.txt'))
    expect((await readdir(folder.path)).toSorted()).toEqual(['a', 'b'])
  })
})
