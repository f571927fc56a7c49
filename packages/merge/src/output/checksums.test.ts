import { createHash } from 'node:crypto'
import { open as openFile, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { parseChecksums } from '@mk/checkpoint'
import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { startChecksums } from './checksums.ts'
import { createHashingThreads, createInlineHashers, type Hashers } from './hashing/hashers.ts'

const folder = useFolder()
const slerp = 'merge_method: slerp\nbase_model: a\nparameters: {t: 0.4}\nmodels: [{model: a}, {model: b}]'
// A thread can't start from source.
const startThread = () => new Worker(new URL('../../dist/output/hashing/hash-thread.js', import.meta.url))
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function hashesIn(path: string): Promise<Record<string, string>> {
  const names = (await readdir(path)).filter((name) => /safetensors|gguf/.test(name))
  const hashes = await Promise.all(names.map(async (name) => [name, sha256(await readFile(join(path, name)))]))
  return Object.fromEntries(hashes) as Record<string, string>
}

const inCard = async (path: string) => {
  const found = parseChecksums(await readFile(join(path, 'README.md'), 'utf8'))
  return found && Object.fromEntries(found)
}

describe('a model card', () => {
  test('has the SHA-256 of each shard, and of their index', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const { out, result } = await mergeIn(folder.path, slerp, { prepare: { shardBytes: 150 } })
    const hashes = await hashesIn(out)
    expect(Object.keys(hashes).length).toBeGreaterThan(2)
    expect(await inCard(out)).toEqual(hashes)
    const { 'model.safetensors.index.json': _, ...shards } = hashes
    expect(result.checksums).toEqual(shards)
  })

  test('has the same after an interruption, and is what it is without one', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const whole = await mergeIn(folder.path, slerp, { out: join(folder.path, 'whole') })
    const stop = new AbortController()
    const onProgress = ({ finishedTensors }: { finishedTensors: number }) => {
      if (finishedTensors >= 4) stop.abort(new Error('enough'))
    }
    await expectIssue(mergeIn(folder.path, slerp, { signal: stop.signal, onProgress }), 'interrupted')
    const { result } = await mergeIn(folder.path, slerp)
    expect(result.resumedTensors).toBeGreaterThan(0)
    expect(result.checksums).toEqual(whole.result.checksums)
  })

  test('has none where none are wanted', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const { out, plan, result } = await mergeIn(folder.path, slerp, { checksums: false })
    expect(result.checksums).toBeUndefined()
    const card = await readFile(join(out, 'README.md'), 'utf8')
    expect(card).toBe(plan.documents.find(({ name }) => name === 'README.md')!.text)
  })
})

describe.each<[string, () => Hashers]>([
  ['the calling thread', createInlineHashers],
  ['threads', () => createHashingThreads(2, startThread)],
])('checksums behind the writing, in %s', (_, open) => {
  /** Two files: three tensors of 1.5 MiB, the middle one in two runs, and one small tensor. */
  async function start() {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const planned = await planIn(folder.path, slerp)
    const part = 1.5 * 2 ** 20
    const tensor = (file: number, byteStart: number, more: object = {}) => ({
      ...planned.tensors[0]!,
      file,
      byteStart,
      ...more,
    })
    const run = (byteStart: number) => ({ rowStart: 0, rowCount: 1, byteStart })
    const rows = {
      type: 'F32',
      blockElements: 1,
      blockBytes: 4,
      columns: 1,
      runs: [run(100 + part), run(100 + 3 * part)],
    }
    const plan: MergePlan = {
      ...planned,
      files: [
        { name: 'one', fileBytes: 100 + 4 * part, format: 'gguf', pieces: [] },
        { name: 'two', fileBytes: 10, format: 'gguf', pieces: [] },
      ],
      tensors: [tensor(0, 100), tensor(0, 100, { rows }), tensor(0, 100 + 2 * part), tensor(1, 0)],
    }
    const files = plan.files.map(({ name }) => join(folder.path, name))
    for (const [index, file] of files.entries()) {
      await writeFile(file, '')
      await truncate(file, plan.files[index]!.fileBytes)
    }
    const write = async (file: number, position: number, byteCount: number) => {
      const handle = await openFile(files[file]!, 'r+')
      await handle.write(
        Uint8Array.from({ length: byteCount }, (_, index) => index % 251),
        0,
        byteCount,
        position,
      )
      await handle.close()
    }
    const expected = async () => [
      ['one', sha256(await readFile(files[0]!))],
      ['two', sha256(await readFile(files[1]!))],
    ]
    return { plan, files, part, write, expected }
  }

  const soon = () => new Promise((resolve) => setTimeout(resolve, 30))

  test('never pass a tensor that is not finished, in whatever order they are', async () => {
    const { plan, files, part, write, expected } = await start()
    const checksums = startChecksums(plan, files, new Set(), open)
    await write(0, 100 + 2 * part, part)
    checksums.finished(2)
    await soon()
    await write(0, 100, part)
    checksums.finished(0)
    await soon()
    await write(0, 100 + part, part)
    await write(0, 100 + 3 * part, part)
    checksums.finished(1)
    await write(1, 0, 10)
    checksums.finished(3)
    const seen: number[] = []
    const found = await checksums.complete({ onProgress: ({ doneBytes }) => void seen.push(doneBytes) })
    await checksums.close()
    expect([...found]).toEqual(await expected())
    expect(seen.at(-1)).toBe(110 + 4 * part)
  })

  test('end with the reason of a signal, and where a file is cut', async () => {
    const { plan, files, expected } = await start()
    const checksums = startChecksums(plan, files, new Set([0, 1, 2, 3]), open)
    await expect(checksums.complete({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    expect([...(await checksums.complete({}))]).toEqual(await expected())
    await checksums.close()
    await truncate(files[0]!, 2 ** 20)
    const cut = startChecksums(plan, files, new Set([0, 1, 2, 3]), open)
    await expectIssue(cut.complete({}), 'write-failed', { file: files[0]!, reason: 'it ends at 1048576' })
    await cut.close()
  })
})
