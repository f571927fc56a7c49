import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { isSystemError } from '@mk/errors'
import { beforeAll, describe, expect, test } from 'vitest'
import { useFolder } from '../../__fixtures__/models.ts'
import { createHashingThreads, createInlineHashers, type Hashers, openHashers } from './hashers.ts'

const folder = useFolder()
// A thread can't start from source.
const started: Worker[] = []
const startThread = () => {
  const worker = new Worker(new URL('../../../dist/output/hashing/hash-thread.js', import.meta.url))
  started.push(worker)
  return worker
}
const sizes = [3_000_000, 5, 0, 2 ** 20]
const bytesOf = (file: number) => Uint8Array.from({ length: sizes[file]! }, (_, index) => (index * (file + 3)) % 251)
const digests = sizes.map((_, file) => createHash('sha256').update(bytesOf(file)).digest('hex'))

async function writeFiles(): Promise<string[]> {
  const files = sizes.map((_, file) => join(folder.path, `${file}`))
  for (const [index, file] of files.entries()) await writeFile(file, bytesOf(index))
  return files
}

async function hashAll(hashers: Hashers, between: (file: number) => Promise<unknown> = async () => {}) {
  const files = await writeFiles()
  try {
    return await Promise.all(
      files.map(async (file, index) => {
        for (const end of [1, 700_001, sizes[index]!]) {
          if (end <= sizes[index]!) await hashers.advance(file, end)
          await between(index)
        }
        return hashers.digest(file)
      }),
    )
  } finally {
    await hashers.close()
  }
}

beforeAll(() => void (started.length = 0))

describe('hashers give the SHA-256 of files', () => {
  test('in the calling thread', async () => {
    expect(await hashAll(createInlineHashers())).toEqual(digests)
  })

  test.each([1, 2, 8])('in up to %i threads, as many as there are files', async (most) => {
    const before = started.length
    expect(await hashAll(createHashingThreads(most, startThread))).toEqual(digests)
    expect(started.length - before).toBe(Math.min(most, sizes.length))
  })

  test('where no thread can start, and where one ends before it is done', async () => {
    expect(await hashAll(createHashingThreads(2))).toEqual(digests)
    const refuse = () => {
      throw new Error('no thread')
    }
    expect(await hashAll(createHashingThreads(2, refuse))).toEqual(digests)
    const before = started.length
    const end = (file: number) => (file === 0 ? started[before]!.terminate() : Promise.resolve())
    expect(await hashAll(createHashingThreads(2, startThread), end)).toEqual(digests)
  })
})

describe.each<[string, () => Hashers]>([
  ['the calling thread', createInlineHashers],
  ['a thread', () => createHashingThreads(1, startThread)],
])('hashing in %s', (_, open) => {
  test('tells what the system refuses, and goes on where it was', async () => {
    const hashers = open()
    const [file] = await writeFiles()
    const missing = join(folder.path, 'missing')
    const refused = await hashers.advance(missing, 1).catch((error: unknown) => error)
    expect(isSystemError(refused) && [refused.code, refused.path]).toEqual(['ENOENT', missing])
    await expect(hashers.advance(file!, sizes[0]! + 1)).rejects.toThrow(`it ends at ${sizes[0]}`)
    await hashers.advance(file!, sizes[0]!)
    expect(await hashers.digest(file!)).toBe(digests[0])
    await hashers.close()
  })
})

test('few bytes are not worth a thread, and there are no more than may be', async () => {
  const all = [openHashers(2 ** 27 - 1, 4), openHashers(2 ** 40, 0), openHashers(2 ** 27, 4), openHashers(2 ** 40, 99)]
  const inline = createInlineHashers()
  expect(all.map(({ lanes, stepBytes }) => [lanes, stepBytes > inline.stepBytes])).toEqual([
    [1, false],
    [1, false],
    [4, true],
    [8, true],
  ])
  await Promise.all([inline, ...all].map((hashers) => hashers.close()))
})
