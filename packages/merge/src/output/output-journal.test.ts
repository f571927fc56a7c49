import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { builtinMethods } from '@mk/methods'
import { expect, test, vi } from 'vitest'
import { planIn, referenceRuntime } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { openOutputFolder } from './output-folder.ts'

const folder = useFolder()

test('what is finished is written down every few seconds, no more often', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  const text = 'merge_method: slerp\nbase_model: a\nparameters: {t: 0.4}\nmodels: [{model: a}, {model: b}]'
  const output = await openOutputFolder(await planIn(folder.path, text), {
    out: join(folder.path, 'out'),
    overwrite: false,
    code: { methods: builtinMethods, runtime: referenceRuntime },
  })
  const written = async () =>
    JSON.parse(await readFile(join(output.partial, 'journal.json'), 'utf8')) as {
      finished: number[]
      nonFinite: unknown
    }
  const [inThird, inFirst] = [1, 2].map((results) => ({ results, overflow: 0, inputs: [0, 0] }))
  const now = vi.spyOn(performance, 'now')
  await output.finish(3, inThird)
  expect(await written()).toMatchObject({ finished: [], nonFinite: [] })
  now.mockReturnValue(performance.now() + 6000)
  await output.finish(1, inFirst)
  expect((await written()).finished).toEqual([3, 1])
  await output.finish(2)
  expect((await written()).finished).toEqual([3, 1])
  now.mockRestore()
  expect(output.nonFinite()).toEqual([
    [1, inFirst],
    [3, inThird],
  ])
  await output.discard()
  expect(existsSync(output.partial)).toBe(false)
})
