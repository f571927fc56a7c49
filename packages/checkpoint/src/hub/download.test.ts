import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { DownloadProgress } from '../checkpoint.ts'
import { partialFile } from './download-blob.ts'
import { equals, failure, useHub } from './__fixtures__/hub-harness.ts'
import { commit, sharded, shardNames } from './__fixtures__/hub-model.ts'
import type { HubServerOptions } from './__fixtures__/hub-server.ts'

const hub = useHub()

describe('too little disk', () => {
  test('is known before the weights come', async () => {
    await hub.serve()
    const error = await failure(hub.resolve({ freeBytes: () => Promise.resolve(1000) }))
    expect(error).toMatchObject({ code: 'hub-disk', issue: { availableBytes: 1000, neededBytes: expect.any(Number) } })
    expect(hub.requested('cdn')).toEqual([])
  })
})

describe('connections that fail', () => {
  const shardBytes = shardNames.reduce((sum, name) => sum + (sharded[name] as Uint8Array).length, 0)

  test('a dropped connection is taken up where it broke', async () => {
    const drops: NonNullable<HubServerOptions['drops']> = {}
    await hub.serve({ drops })
    const model = await hub.resolve()
    drops[shardNames[0]] = { afterBytes: 70_000, times: 2 }
    await model.download()
    const ranges = hub.requested('cdn').map(({ range }) => range)
    expect(ranges).toEqual(expect.arrayContaining(['bytes=70000-', 'bytes=140000-']))
    expect(await readFile(join(model.folder, shardNames[0]))).toSatisfy(equals(sharded[shardNames[0]]))
  })

  test('a header is asked for again where the connection breaks', async () => {
    await hub.serve({ drops: { [shardNames[0]]: { afterBytes: 20, times: 2 } } })
    expect((await hub.resolve()).headers.size).toBe(2)
  })

  test('what has arrived is kept for the next run', async () => {
    const drops: NonNullable<HubServerOptions['drops']> = {}
    await hub.serve({ drops })
    const stop = new AbortController()
    const first = await hub.resolve({
      signal: stop.signal,
      retryDelayMs: 10_000,
      onActivity: ({ kind }) => kind === 'repeating' && stop.abort(),
    })
    drops[shardNames[0]] = { afterBytes: 150_000, times: 1 }
    await expect(first.download()).rejects.toMatchObject({ name: 'AbortError' })
    const bytes = sharded[shardNames[0]] as Uint8Array
    const hash = createHash('sha256').update(bytes).digest('hex')
    const [partial] = (await readdir(join(hub.repo(), 'blobs'))).filter(
      (name) => name.startsWith(hash) && name.endsWith('.incomplete'),
    )
    const { size } = await stat(join(hub.repo(), 'blobs', partial!))
    // A connection that breaks takes with it what was sent and not read yet.
    expect(size).toBeGreaterThan(0)
    expect(size).toBeLessThanOrEqual(150_000)
    const second = await hub.resolve()
    expect(second.downloadBytes).toBeLessThanOrEqual(shardBytes - size)
    const seen: DownloadProgress[] = []
    await second.download((progress) => seen.push(progress))
    expect(seen.at(-1)).toMatchObject({ doneBytes: second.downloadBytes, totalBytes: second.downloadBytes })
    expect(hub.requested('cdn').map(({ range }) => range)).toContain(`bytes=${size}-`)
    expect(await readFile(join(second.folder, shardNames[0]))).toSatisfy(equals(sharded[shardNames[0]]))
  })

  test('more bytes than a file has are no beginning of it', async () => {
    await hub.serve()
    const model = await hub.resolve()
    const bytes = sharded[shardNames[0]] as Uint8Array
    const blob = join(hub.repo(), 'blobs', createHash('sha256').update(bytes).digest('hex'))
    await mkdir(dirname(blob), { recursive: true })
    await writeFile(partialFile(blob), new Uint8Array(bytes.length + 100).fill(7))
    await model.download()
    expect(await readFile(join(model.folder, shardNames[0]))).toSatisfy(equals(bytes))
  })

  test('a connection that delivers nothing is given up', async () => {
    await hub.serve({ silent: [shardNames[0]] })
    expect(await failure(hub.resolve({ stallMs: 50 }))).toMatchObject({
      code: 'hub-unreachable',
      issue: { what: shardNames[0], reason: 'no answer in time' },
    })
  })

  test('a hub that goes away before the weights come is told', async () => {
    await hub.serve()
    const model = await hub.resolve()
    await hub.server.close()
    expect(await failure(model.download())).toMatchObject({ code: 'hub-unreachable' })
  })

  test('a server without ranges starts over, and headers are read all the same', async () => {
    await hub.serve({ noRanges: true, drops: { [shardNames[0]]: { afterBytes: 190_000, times: 1 } } })
    const model = await hub.resolve()
    expect(model.headers.size).toBe(2)
    await model.download()
    expect(await readFile(join(model.folder, shardNames[0]))).toSatisfy(equals(sharded[shardNames[0]]))
  })

  test('a file of another length than listed', async () => {
    await hub.serve({ listedBytes: { [shardNames[1]]: 4096 } })
    expect(await failure(hub.resolve())).toMatchObject({
      code: 'hub-length',
      issue: { file: shardNames[1], expected: 4096 },
    })
    expect(await failure(hub.resolve({ revision: commit }))).toMatchObject({ code: 'hub-length' })
  })

  test('a file that arrives damaged is discarded', async () => {
    const damaged = Uint8Array.from(sharded[shardNames[1]] as Uint8Array)
    damaged[damaged.length - 1]! ^= 1
    await hub.serve({ served: { [shardNames[1]]: damaged } })
    const model = await hub.resolve()
    expect(await failure(model.download())).toMatchObject({ code: 'hub-corrupt', issue: { file: shardNames[1] } })
    expect(await readdir(model.folder)).not.toContain(shardNames[1])
    await hub.serve()
    await (await hub.resolve()).download()
    expect(await readFile(join(model.folder, shardNames[1]))).toSatisfy(equals(sharded[shardNames[1]]))
  })
})
