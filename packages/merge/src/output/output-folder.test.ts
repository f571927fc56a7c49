import { appendFileSync, existsSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tryLock } from '@mk/checkpoint'
import { builtinMethods, defineMethod } from '@mk/methods'
import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, referenceRuntime, wasmRuntime } from '../__fixtures__/merge.ts'
import { bytesIn, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { MergeError } from '../errors.ts'
import type { KeptOutput } from './output-folder.ts'
import { readPlanIdentity } from './plan-identity.ts'

const folder = useFolder()
const waitSync = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
const slerp = 'merge_method: slerp\nbase_model: a\nparameters: {t: 0.4}\nmodels: [{model: a}, {model: b}]'

describe('a merge that was interrupted', () => {
  /** Interrupts after some tensors; @returns how many were done. */
  async function interrupt(recipe = slerp, more: object = {}): Promise<number> {
    const stop = new AbortController()
    let done = 0
    const onProgress = ({ finishedTensors }: { finishedTensors: number }) => {
      done = finishedTensors
      if (finishedTensors >= 4) stop.abort(new Error('enough'))
    }
    await expectIssue(mergeIn(folder.path, recipe, { signal: stop.signal, onProgress, ...more }), 'interrupted', {
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

  test('starts over for another version of its method, or another runtime', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const method = { ...builtinMethods.get('slerp')!, name: 'mine' }
    const recipe = slerp.replace('slerp', 'mine')
    const withCode = (code: string) => ({ prepare: { methods: new Map([['mine', { ...method, code }]]) } })
    const resumed = async (begun: object, goingOn: object) => {
      await interrupt(recipe, begun)
      const { result, out } = await mergeIn(folder.path, recipe, goingOn)
      await rm(out, { recursive: true })
      return result.resumedTensors > 0
    }
    expect(await resumed(withCode('1'), withCode('1'))).toBe(true)
    expect(await resumed(withCode('1'), withCode('2'))).toBe(false)
    expect(await resumed(withCode('1'), { ...withCode('1'), runtime: wasmRuntime })).toBe(false)
  })

  test('starts over where an input was written anew, with its old size and time', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const file = join(folder.path, 'a', 'model.safetensors')
    const { atime, mtime } = await stat(file)
    await interrupt()
    await writeFile(file, await readFile(file))
    await utimes(file, atime, mtime)
    expect((await mergeIn(folder.path, slerp)).result.resumedTensors).toBe(0)
  })

  test.each<[string, (journal: { identity: string; finished: number[] }) => object | string]>([
    ['an index past the end', (journal) => ({ ...journal, finished: [...journal.finished, 999] })],
    ['indices that are none', (journal) => ({ ...journal, finished: [-1, 0.5, '0'] })],
    ['all finished', (journal) => ({ ...journal, finished: [0, 1, 2, 3, 4, 5, 6, 7, 8] })],
    ['no list', (journal) => ({ ...journal, finished: {} })],
    ['no identity', (journal) => ({ ...journal, identity: null })],
    ['half of its text', (journal) => JSON.stringify(journal).slice(0, -20)],
    ['nothing', () => ''],
  ])('starts over from a journal that lies: %s', async (_, lie) => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await mergeIn(folder.path, slerp, { out: join(folder.path, 'whole') })
    await interrupt()
    const file = join(folder.path, 'out.partial', 'journal.json')
    const told = lie(JSON.parse(await readFile(file, 'utf8')) as { identity: string; finished: number[] })
    await writeFile(file, typeof told === 'string' ? told : JSON.stringify(told))
    const { result, out } = await mergeIn(folder.path, slerp)
    expect(result.resumedTensors).toBe(0)
    expect(await bytesIn(out)).toEqual(await bytesIn(join(folder.path, 'whole')))
  })

  test('starts over where a data file is no longer its own', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await interrupt()
    const file = join(folder.path, 'out.partial', 'model.safetensors')
    await writeFile(file, new Uint8Array((await stat(file)).size))
    expect((await mergeIn(folder.path, slerp)).result.resumedTensors).toBe(0)
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
    await interrupt(recipe('first'), { prepare: { methods } })
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
    const { lock } = await tryLock(join(folder.path, '.out.partial-lock'))
    await expectIssue(mergeIn(folder.path, slerp), 'output-busy', { process: process.pid })
    expect(await readdir(partial())).toEqual(['journal.json'])
    await lock!.release()
    await mergeIn(folder.path, slerp)
    expect((await readdir(folder.path)).toSorted()).toEqual(['a', 'b', 'out'])
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
})

describe('an output that is complete but for its name', () => {
  const code = { methods: builtinMethods, runtime: referenceRuntime }
  /** As a kill between the last two steps leaves it. */
  async function leaveComplete(): Promise<Record<string, string>> {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const { out, plan } = await mergeIn(folder.path, slerp)
    const bytes = await bytesIn(out)
    const { output } = await readPlanIdentity(plan, code)
    await rename(out, join(folder.path, `.out.partial-complete-${output.slice(0, 16)}`))
    return bytes as Record<string, string>
  }

  test('gets it from the next run of the same merge, which does nothing else', async () => {
    const bytes = await leaveComplete()
    const { result, out } = await mergeIn(folder.path, slerp)
    expect(result.resumedTensors).toBe(result.tensorCount)
    expect(await bytesIn(out)).toEqual(bytes)
    expect((await readdir(folder.path)).toSorted()).toEqual(['a', 'b', 'out'])
  })

  test('gets it from the next run of another merge, too, which then finds it there', async () => {
    const bytes = await leaveComplete()
    await expectIssue(mergeIn(folder.path, slerp.replace('0.4', '0.5')), 'output-exists')
    expect(await bytesIn(join(folder.path, 'out'))).toEqual(bytes)
    await mergeIn(folder.path, slerp.replace('0.4', '0.5'), { overwrite: true })
    expect(await bytesIn(join(folder.path, 'out'))).not.toEqual(bytes)
    expect((await readdir(folder.path)).toSorted()).toEqual(['a', 'b', 'out'])
  })
})

describe('a merge that fails', () => {
  /** Does something before the fifth tensor. */
  const withTrouble = (cause: () => Promise<unknown>) => {
    const method = builtinMethods.get('slerp')!
    let calls = 0
    const merge: typeof method.merge = async (...given) => {
      if (++calls === 5) await cause()
      return method.merge(...given)
    }
    return { prepare: { methods: new Map([['slerp', { ...method, merge, code: 'troubled' }]]) } }
  }
  const fail = () => Promise.reject(new MergeError({ code: 'worker-failed', reason: 'oops' }))

  test('keeps what is whole, says so, and the same merge goes on', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await mergeIn(folder.path, slerp, { out: join(folder.path, 'whole') })
    const kept: unknown[] = []
    let finished = () => {}
    const someFinished = new Promise<void>((resolve) => (finished = resolve))
    const failLater = () => someFinished.then(fail)
    await expect(
      mergeIn(folder.path, slerp, {
        ...withTrouble(failLater),
        onProgress: ({ finishedTensors }) => finishedTensors > 0 && finished(),
        onKept: (found) => kept.push(found),
      }),
    ).rejects.toThrow('oops')
    expect(kept).toEqual([{ folder: join(folder.path, 'out.partial'), tensorCount: expect.any(Number) }])
    const { result, out } = await mergeIn(
      folder.path,
      slerp,
      withTrouble(async () => {}),
    )
    expect({ tensorCount: result.resumedTensors }).toMatchObject({ tensorCount: (kept[0] as KeptOutput).tensorCount })
    expect(await bytesIn(out)).toEqual(await bytesIn(join(folder.path, 'whole')))
  })

  test('keeps nothing of what a changed input has become a part of', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const change = async () => {
      const file = join(folder.path, 'b', 'model.safetensors')
      await writeFile(file, await readFile(file))
    }
    await expectIssue(mergeIn(folder.path, slerp, withTrouble(change)), 'input-changed', {
      file: join(folder.path, 'b', 'model.safetensors'),
    })
    await expect(
      mergeIn(
        folder.path,
        slerp,
        withTrouble(async () => {
          await change()
          await fail()
        }),
      ),
    ).rejects.toThrow('oops')
    expect((await readdir(folder.path)).toSorted()).toEqual(['a', 'b'])
  })

  test.each<[string, number, (file: string) => void]>([
    ['cut off in the end', 9, (file) => truncateSync(file, 1000)],
    ['made longer', 9, (file) => appendFileSync(file, '.')],
    ['overwritten at its start', 9, (file) => writeFileSync(file, '?', { flag: 'r+' })],
    ['taken away', 9, (file) => rmSync(file)],
    ['replaced', 9, (file) => (rmSync(file), writeFileSync(file, ''))],
    // It grows again, full of zeros.
    ['cut off in the midst', 1, (file) => (truncateSync(file, 1000), waitSync(150))],
  ])('keeps nothing of a file that was %s', async (_, after, change) => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const file = join(folder.path, 'out.partial', 'model.safetensors')
    const onProgress = ({ finishedTensors }: { readonly finishedTensors: number }) => {
      if (finishedTensors === after) change(file)
    }
    await expectIssue(mergeIn(folder.path, slerp, { threads: 0, onProgress }), 'output-changed', { file })
    expect((await readdir(folder.path)).toSorted()).toEqual(['a', 'b'])
  })

  test('has its small files first, so that one which is lost meanwhile does not matter', async () => {
    await writeLlamas(folder.path, { a: { files: { 'tokenizer.json': '{}' } }, b: {} })
    const lose = () => rm(join(folder.path, 'a', 'tokenizer.json'))
    const { out } = await mergeIn(folder.path, slerp, withTrouble(lose))
    expect(await readdir(out)).toContain('tokenizer.json')
  })

  test('keeps all of it where somebody has put files at its place', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const put = async () => {
      await mkdir(join(folder.path, 'out'))
      await writeFile(join(folder.path, 'out', 'thesis.txt'), '')
    }
    const trouble = withTrouble(put)
    await expectIssue(mergeIn(folder.path, slerp, trouble), 'output-exists', { entryCount: 1 })
    await rm(join(folder.path, 'out'), { recursive: true })
    const { result } = await mergeIn(folder.path, slerp, trouble)
    expect(result.resumedTensors).toBe(result.tensorCount)
    expect((await readdir(folder.path)).toSorted()).toEqual(['a', 'b', 'out'])
  })

  test('writes nothing more where another one has taken its folder over', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const lose = () => writeFile(join(folder.path, '.out.partial-lock'), 'another one’s')
    await expectIssue(mergeIn(folder.path, slerp, withTrouble(lose)), 'output-lost')
    expect((await readdir(folder.path)).toSorted()).toEqual(['.out.partial-lock', 'a', 'b', 'out.partial'])
  })
})
