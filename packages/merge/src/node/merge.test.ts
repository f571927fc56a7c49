import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineMethod, mul, z } from '@mk/methods'
import { describe, expect, test } from 'vitest'
import { loadFolder, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import type { Recipe } from '../recipe.ts'
import { merge, type WholeProgress } from './merge.ts'

const folder = useFolder()
const inThread = () => ({ roots: [folder.path], threads: 0 })
const out = () => join(folder.path, 'out')
const recipe: Recipe = {
  merge_method: 'linear',
  models: [
    { model: 'a', parameters: { weight: 1 } },
    { model: 'b', parameters: { weight: 3 } },
  ],
}
const yaml =
  'merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 3}}]\n'

describe('merge', () => {
  test('merges by an object, and tells what it wrote', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const seen: WholeProgress[] = []
    const result = await merge(recipe, { out: out(), ...inThread(), onProgress: (progress) => seen.push(progress) })
    expect(result).toMatchObject({ out: out(), resumedTensors: 0, nonFinite: [], seconds: expect.any(Number) })
    const names = result.files.map(({ name }) => name)
    expect(names.toSorted()).toEqual((await readdir(out())).toSorted())
    for (const { name, bytes } of result.files) expect(bytes).toBe((await stat(join(out(), name))).size)
    expect(seen.at(-1)).toMatchObject({ phase: 'merging', finishedTensors: result.tensorCount })
    expect(await readFile(join(out(), 'README.md'), 'utf8')).toContain('# out')
  })

  test('merges by the path of a file, beside which it looks for models, and by YAML', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await writeFile(join(folder.path, 'recipe.yml'), yaml)
    await merge(join(folder.path, 'recipe.yml'), { out: out(), threads: 0 })
    const other = join(folder.path, 'other')
    await merge({ text: yaml }, { out: other, ...inThread() })
    const third = join(folder.path, 'third')
    await merge(recipe, { out: third, ...inThread() })
    expect(await loadFolder(other)).toEqual(await loadFolder(out()))
    expect(await loadFolder(third)).toEqual(await loadFolder(out()))
  })

  test('takes methods of one’s own, and their names and parameters as types', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const half = defineMethod({
      name: 'half',
      summary: 'A share of the first.',
      base: 'none',
      models: { min: 1 },
      parameters: { perModel: {}, methodWide: { share: z.number().default(0.5) } },
      merge: ({ models }, { share }) => mul(models[0]!, share),
    })
    const options = { out: out(), ...inThread(), ownMethods: [half] }
    const { tensorCount } = await merge(
      { merge_method: 'half', models: [{ model: 'a' }], parameters: { share: 0.25 } },
      options,
    )
    expect(tensorCount).toBeGreaterThan(0)
    const again = { ...options, overwrite: true }
    const models = [{ model: 'a' }]
    const misspelled = () =>
      // @ts-expect-error -- no such parameter
      merge({ merge_method: 'half', models, parameters: { shape: 1 } }, again)
    await expect(misspelled()).rejects.toThrow("parameters.shape: half has no parameter 'shape'; did you mean 'share'?")
    const unknown = () =>
      // @ts-expect-error -- no such method
      merge({ merge_method: 'halve', models }, again)
    await expect(unknown()).rejects.toMatchObject({ code: 'unknown-method' })
  })

  test('refuses what is no recipe, and a place that is taken, before it opens anything', async () => {
    await expect(merge(join(folder.path, 'none.yml'), { out: out() })).rejects.toMatchObject({
      issue: { code: 'recipe-file', isText: false },
    })
    await expect(merge(yaml, { out: out() })).rejects.toThrow('YAML itself is given as { text }')
    await writeLlamas(folder.path, { taken: {} })
    await expect(merge(recipe, { out: join(folder.path, 'taken') })).rejects.toMatchObject({ code: 'output-exists' })
  })

  test('does nothing where the signal has fired', async () => {
    const signal = AbortSignal.abort('enough')
    await expect(merge(recipe, { out: out(), signal, ...inThread() })).rejects.toBe('enough')
    expect(await readdir(folder.path)).toEqual([])
  })

  test('stops where the signal fires, keeps its reason, and goes on from there', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const controller = new AbortController()
    const stopping = merge(recipe, {
      out: out(),
      ...inThread(),
      signal: controller.signal,
      onProgress: (progress) => {
        if (progress.phase === 'merging' && progress.finishedTensors === 2) controller.abort('enough')
      },
    })
    await expect(stopping).rejects.toMatchObject({ code: 'interrupted', cause: 'enough' })
    const { resumedTensors } = await merge(recipe, { out: out(), ...inThread() })
    expect(resumedTensors).toBeGreaterThanOrEqual(2)
  })
})
