import { describe, expect, test } from 'vitest'
import type { FileMap } from '@mk/source/web'
import type { FileRange } from '../../run/file-feed.ts'
import { createWorkerFeed } from './feed.ts'
import { createFeeder } from './feeder.ts'

const megabyte = 2 ** 20
const bytes = Uint8Array.from({ length: 6 * megabyte }, (_, index) => (index * 7 + (index >>> 12)) & 255)

/** A blob that counts its streams, and what they are of. */
class CountedBlob extends Blob {
  readonly streams: [start: number, end: number | undefined][] = []

  override slice(start?: number, end?: number): Blob {
    this.streams.push([start!, end])
    return super.slice(start, end)
  }
}

/** Workers that are fed as through messages. */
function feedsOf(files: FileMap, workers: number, limits = { pieces: 4, blocks: 10 }) {
  const feeder = createFeeder(files, limits)
  return Array.from({ length: workers }, () => {
    const feed = createWorkerFeed(files, (request, transfer) => {
      const copy = structuredClone(request, { transfer })
      queueMicrotask(() => onRequest(copy))
    })
    const onRequest = feeder.serve((answer, transfer) => {
      const copy = structuredClone(answer, { transfer })
      queueMicrotask(() => feed.take(copy))
    })
    return feed
  })
}

const range = (byteStart: number, byteEnd: number, file = '/a'): FileRange => ({ file, byteStart, byteEnd })

/** Calls of a task that read [start, end), each as much. */
const calls = (start: number, end: number, each: number, names: readonly string[]) =>
  Array.from({ length: (end - start) / each }, (_, index) =>
    names.map((name) => range(start + index * each, start + (index + 1) * each, name)),
  )

type Feed = ReturnType<typeof feedsOf>[number]

/** Carries out a task. @returns whether all that was asked for was there, byte for byte */
async function runTask(
  feed: Feed,
  task: readonly (readonly FileRange[])[],
  isBrought: (range: FileRange) => boolean = () => true,
): Promise<boolean> {
  const arrive = feed.ask(task)
  if (arrive === undefined) return false
  let isRight = true
  for (const ranges of task) {
    await arrive()
    for (const { file, byteStart, byteEnd } of ranges.filter(isBrought)) {
      const into = new Uint8Array(byteEnd - byteStart)
      isRight &&= feed.read(file, byteStart, into) && Buffer.compare(into, bytes.subarray(byteStart, byteEnd)) === 0
    }
  }
  return isRight
}

describe('workers that share the tasks of a tensor', () => {
  test('are fed out of one stream for each file', async () => {
    const [a, b] = [new CountedBlob([bytes]), new CountedBlob([bytes])]
    const feeds = feedsOf(
      new Map([
        ['/a', a],
        ['/b', b],
      ]),
      2,
    )
    const found = await Promise.all(
      feeds.map(async (feed, worker) => {
        const results: boolean[] = []
        for (let task = worker; task < 6; task += 2)
          results.push(await runTask(feed, calls(task * megabyte, (task + 1) * megabyte, megabyte / 4, ['/a', '/b'])))
        return results
      }),
    )
    expect(found.flat()).toEqual([true, true, true, true, true, true])
    expect([a.streams, b.streams]).toEqual([[[0, undefined]], [[0, undefined]]])
  })

  test('get a call whole, however much it reads', async () => {
    const names = Array.from({ length: 6 }, (_, index) => `/${index}`)
    const [feed] = feedsOf(new Map(names.map((name) => [name, new CountedBlob([bytes])])), 1)
    expect(await runTask(feed!, calls(3, 3 + 2 * megabyte, megabyte, names))).toBe(true)
  })
})

/** 128 short parts, one of each of as many strata. */
const sample = (start: number, end: number, file = '/a') =>
  Array.from({ length: 128 }, (_, index) => {
    const stratum = (end - start) / 128
    const from = Math.floor(start + index * stratum + ((index * 7919) % (stratum - 4096)))
    return range(from, from + 4096, file)
  })

/** Its first part, which is far from what was asked for before, is read at once. */
const runSample = (feed: Feed, parts: readonly FileRange[]) => runTask(feed, [parts], (part) => part !== parts[0])

describe('a sample, and then all', () => {
  test('are read once', async () => {
    const blob = new CountedBlob([bytes])
    const [feed] = feedsOf(new Map([['/a', blob]]), 1)
    const first = sample(0, 3 * megabyte)
    expect(await runSample(feed!, first)).toBe(true)
    expect(await runSample(feed!, sample(3 * megabyte, bytes.length))).toBe(true)
    expect(await runTask(feed!, calls(megabyte, 5 * megabyte, megabyte, ['/a']))).toBe(true)
    expect(blob.streams).toEqual([[first[1]!.byteStart, undefined]])
    // Where the first stream began is passed by; then reading goes on where it was.
    expect(await runTask(feed!, calls(0, megabyte, megabyte, ['/a']))).toBe(true)
    expect(blob.streams.slice(1)).toEqual([[0, megabyte]])
  })

  test('are read twice where it is more than can be kept', async () => {
    const [a, b] = [new CountedBlob([bytes]), new CountedBlob([bytes])]
    const [feed] = feedsOf(
      new Map([
        ['/a', a],
        ['/b', b],
      ]),
      1,
    )
    for (const name of ['/a', '/b']) expect(await runSample(feed!, sample(0, bytes.length, name))).toBe(true)
    for (const name of ['/a', '/b'])
      expect(await runTask(feed!, calls(megabyte, 2 * megabyte, megabyte, [name]))).toBe(true)
    expect([a.streams.length, b.streams.length]).toEqual([1, 2])
  })
})

describe('is read at once, and not brought', () => {
  const files: FileMap = new Map<string, Blob | Uint8Array>([
    ['/a', new Blob([bytes])],
    ['/m', bytes],
  ])
  test.each([
    ['little', [[range(0, 2 ** 17)]]],
    ['what is in memory', calls(0, megabyte, megabyte, ['/m'])],
    ['what is not there', calls(0, megabyte, megabyte, ['/none'])],
    ['what is past the end', [[range(bytes.length - megabyte, bytes.length + 1)]]],
    ['parts that are far from each other', [sample(0, bytes.length).filter((_, index) => index % 32 === 0)]],
  ])('%s', (_, task) => {
    const [feed] = feedsOf(files, 1)
    expect(feed!.ask(task)).toBeUndefined()
  })
})

test('a file that has changed is not brought, so that reading it at once says so', async () => {
  const broken = Object.assign(new Blob([bytes]), {
    slice: () => ({
      stream: () => new ReadableStream({ type: 'bytes', pull: () => Promise.reject(new Error('changed')) }),
    }),
  })
  const [feed] = feedsOf(
    new Map([
      ['/a', broken],
      ['/b', new Blob([bytes])],
    ]),
    1,
  )
  expect(await runTask(feed!, calls(0, megabyte, megabyte, ['/a']))).toBe(false)
  expect(await runTask(feed!, calls(0, megabyte, megabyte, ['/b']))).toBe(true)
})

test('a browser that has no such streams reads all at once', async () => {
  const old = Object.assign(new Blob([bytes]), { slice: () => ({ stream: () => new ReadableStream({}) }) })
  const [feed] = feedsOf(new Map([['/a', old]]), 1)
  expect(await runTask(feed!, calls(0, megabyte, megabyte, ['/a']))).toBe(false)
})

test('what was asked for and is not wanted any more is not taken for what is', async () => {
  const [feed] = feedsOf(new Map([['/a', new CountedBlob([bytes])]]), 1)
  const arrive = feed!.ask(calls(0, 3 * megabyte, megabyte, ['/a']))!
  await arrive()
  expect(await runTask(feed!, calls(4 * megabyte, 6 * megabyte, megabyte, ['/a']))).toBe(true)
})
