import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { builtinMethods, defineMethod } from '@mk/methods'
import { expect, test } from 'vitest'
import { expectIssue, mergeIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()
const linear = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]'

test('what cannot be deleted in the end does not hide why the merge failed', async () => {
  const outs = join(folder.path, 'outs')
  const breaking = defineMethod({
    name: 'breaking',
    summary: 'Takes the folder away in which the output grows.',
    base: 'none',
    models: { min: 1 },
    parameters: { perModel: {}, methodWide: {} },
    async merge() {
      await rename(outs, `${outs}-away`)
      await writeFile(outs, '')
      throw new Error('mine')
    },
  })
  await writeLlamas(folder.path, { a: {}, b: {} })
  const warnings: string[] = []
  const merging = mergeIn(folder.path, 'merge_method: breaking\nmodels: [{model: a}]', {
    prepare: { methods: new Map([...builtinMethods, ['breaking', breaking]]) },
    out: join(outs, 'out'),
    onWarning: (text) => warnings.push(text),
  })
  await expect(merging).rejects.toMatchObject({ code: 'own-method-failed' })
  expect(warnings).toEqual([
    `${join(outs, 'out.partial')} could not be put in order (a part of the path is a file, not a folder); the same command does so first`,
  ])
})

test('a journal or a data file that cannot be read is told, and what is finished is not deleted', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  const partial = join(folder.path, 'out.partial')
  const stop = new AbortController()
  await expectIssue(
    mergeIn(folder.path, linear, {
      signal: stop.signal,
      onProgress: ({ finishedTensors }) => finishedTensors >= 3 && stop.abort(new Error('enough')),
    }),
    'interrupted',
  )
  for (const name of ['journal.json', 'model.safetensors']) {
    const bytes = await readFile(join(partial, name))
    await rm(join(partial, name))
    await mkdir(join(partial, name))
    await expectIssue(mergeIn(folder.path, linear), 'output-unwritable', { reason: 'it is a folder, not a file' })
    expect(await readdir(partial)).toContain('journal.json')
    await rm(join(partial, name), { recursive: true })
    await writeFile(join(partial, name), bytes)
  }
  expect((await mergeIn(folder.path, linear)).result.resumedTensors).toBeGreaterThan(2)
})

test('a file of that name is not taken for what a merge has left', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  await writeFile(join(folder.path, 'out.partial'), 'mine')
  await expectIssue(mergeIn(folder.path, linear), 'output-exists')
  expect(await readFile(join(folder.path, 'out.partial'), 'utf8')).toBe('mine')
})
