import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineMethod } from '@mk/methods'
import { describe, expect, test, vi } from 'vitest'
import { expectIssue, mergeIn, planIn } from '../__fixtures__/merge.ts'
import { bytesIn, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { openOutputFolder } from './output-folder.ts'

const folder = useFolder()
const slerp = 'merge_method: slerp\nbase_model: a\nparameters: {t: 0.4}\nmodels: [{model: a}, {model: b}]'

describe('a merge that was interrupted', () => {
  /** Interrupts after some tensors; @returns how many were done. */
  async function interrupt(
    recipe = slerp,
    prepare: NonNullable<Parameters<typeof mergeIn>[2]>['prepare'] = {},
  ): Promise<number> {
    const stop = new AbortController()
    let done = 0
    const onProgress = ({ finishedTensors }: { finishedTensors: number }) => {
      done = finishedTensors
      if (finishedTensors >= 4) stop.abort(new Error('enough'))
    }
    await expectIssue(mergeIn(folder.path, recipe, { signal: stop.signal, onProgress, prepare }), 'interrupted', {
      folder: join(folder.path, 'out.partial'),
    })
    return done
  }

  test('goes on where it stopped and writes the same bytes', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await mergeIn(folder.path, slerp, { out: join(folder.path, 'whole') })
    const done = await interrupt()
    expect(existsSync(join(folder.path, 'out'))).toBe(false)
    expect(await readdir(join(folder.path, 'out.partial'))).toContain('journal.json')
    const { result, out } = await mergeIn(folder.path, slerp)
    expect(result.resumedTensors).toBeGreaterThanOrEqual(done)
    expect(result.resumedTensors).toBeLessThan(9)
    expect(await bytesIn(out)).toEqual(await bytesIn(join(folder.path, 'whole')))
  })

  test.each<[string, () => Promise<unknown>]>([
    ['an input has changed', () => utimes(join(folder.path, 'a', 'model.safetensors'), 1, 1)],
    ['a data file has another size', () => truncate(join(folder.path, 'out.partial', 'model.safetensors'), 10)],
    [
      'nothing was done',
      async () => {
        const journal = join(folder.path, 'out.partial', 'journal.json')
        await writeFile(
          journal,
          JSON.stringify({ ...(JSON.parse(await readFile(journal, 'utf8')) as object), finished: [] }),
        )
      },
    ],
  ])('starts over where %s', async (_, change) => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await interrupt()
    await change()
    expect((await mergeIn(folder.path, slerp)).result.resumedTensors).toBe(0)
  })

  test('starts over for another recipe', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await interrupt()
    expect((await mergeIn(folder.path, slerp.replace('0.4', '0.5'))).result.resumedTensors).toBe(0)
  })

  test.each<[string, { seed?: number; shardBytes?: number }]>([
    ['another seed', { seed: 7 }],
    ['other shards', { shardBytes: 200 }],
  ])('starts over with %s, and writes what that gives', async (_, prepare) => {
    const dare = 'merge_method: dare_linear\nbase_model: a\nmodels: [{model: b, parameters: {weight: 1, density: 0.5}}]'
    await writeLlamas(folder.path, { a: {}, b: {} })
    const { out: whole } = await mergeIn(folder.path, dare, { out: join(folder.path, 'whole'), prepare })
    await interrupt(dare)
    const { result, out } = await mergeIn(folder.path, dare, { prepare })
    expect(result.resumedTensors).toBe(0)
    expect(await bytesIn(out)).toEqual(await bytesIn(whole))
  })

  test('starts over with another method that takes the same parameters', async () => {
    const taking = (name: string, index: number) =>
      defineMethod({
        name,
        summary: '',
        base: 'none',
        models: { min: 2 },
        parameters: { perModel: {}, methodWide: {} },
        merge: ({ models }) => models.at(index)!,
      })
    const methods = new Map([
      ['first', taking('first', 0)],
      ['last', taking('last', -1)],
    ])
    const recipe = (method: string) => `merge_method: ${method}\nmodels: [{model: a}, {model: b}]`
    await writeLlamas(folder.path, { a: {}, b: {} })
    const { out: whole } = await mergeIn(folder.path, recipe('last'), {
      out: join(folder.path, 'whole'),
      prepare: { methods },
    })
    await interrupt(recipe('first'), { methods })
    const { result, out } = await mergeIn(folder.path, recipe('last'), { prepare: { methods } })
    expect(result.resumedTensors).toBe(0)
    expect((await bytesIn(out))['model.safetensors']).toBe((await bytesIn(whole))['model.safetensors'])
  })

  test('before it began leaves a folder to go on from', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await expectIssue(mergeIn(folder.path, slerp, { signal: AbortSignal.abort() }), 'interrupted')
    expect((await mergeIn(folder.path, slerp)).result.resumedTensors).toBe(0)
  })
})

describe('the folder in which an output grows', () => {
  const partial = () => join(folder.path, 'out.partial')
  const journalOf = (process: number) => JSON.stringify({ identity: '', process, finished: [] })

  test('is left alone while another process writes there', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await mkdir(partial())
    await writeFile(join(partial(), 'journal.json'), journalOf(process.ppid))
    await expectIssue(mergeIn(folder.path, slerp), 'output-busy', { process: process.ppid })
    expect(await readdir(partial())).toEqual(['journal.json'])
  })

  test('is taken over from a process that is gone', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await mkdir(partial())
    await writeFile(join(partial(), 'journal.json'), journalOf(2 ** 22 + 1))
    await mergeIn(folder.path, slerp)
    expect(existsSync(partial())).toBe(false)
  })

  test.each([
    ['mine.txt', ''],
    ['journal.json', 'dear diary'],
  ])('is left alone where it is somebody’s own (%s)', async (name, text) => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await mkdir(partial())
    await writeFile(join(partial(), name), text)
    await expectIssue(mergeIn(folder.path, slerp), 'output-exists', { folder: partial(), entryCount: 1 })
    expect(await readdir(partial())).toEqual([name])
  })

  test('is no file of somebody’s own', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await writeFile(partial(), 'mine')
    await expectIssue(mergeIn(folder.path, slerp), 'output-exists')
    expect(await readFile(partial(), 'utf8')).toBe('mine')
  })

  test('is written down every few seconds', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const plan = await planIn(folder.path, slerp)
    const output = await openOutputFolder(plan, { out: join(folder.path, 'out'), overwrite: false })
    const finished = async () =>
      (JSON.parse(await readFile(join(output.partial, 'journal.json'), 'utf8')) as { finished: number[] }).finished
    const now = vi.spyOn(performance, 'now')
    await output.finish(3)
    expect(await finished()).toEqual([])
    now.mockReturnValue(performance.now() + 6000)
    await output.finish(1)
    expect(await finished()).toEqual([3, 1])
    now.mockRestore()
    await output.discard()
    expect(existsSync(output.partial)).toBe(false)
  })
})
