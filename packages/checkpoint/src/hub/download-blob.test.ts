import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CheckpointError } from '../errors.ts'
import { identifyProcess } from '../lock/process-identity.ts'
import { downloadBlob, type DownloadOptions, partialFile } from './download-blob.ts'
import type { HubActivity } from './hub-activity.ts'
import type { RemoteFile } from './hub-client.ts'

let folder: string
let blob: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mk-blob-'))
  blob = join(folder, 'blobs', 'x')
})
afterEach(() => rm(folder, { recursive: true }))

const content = Uint8Array.from({ length: 10 }, (_, index) => index + 1)
const sha256 = createHash('sha256').update(content).digest('hex')
const sha1 = createHash('sha1').update('blob 10\0').update(content).digest('hex')

/** What comes of a request: bytes, after which the connection ends or breaks; all of the file, whatever was asked for; or no answer. */
type Answer = { readonly bytes?: number; readonly breaks?: true } | 'whole' | CheckpointError

/** Downloads by answers in order, the last of which is repeated. */
async function download(answers: readonly Answer[], options: Partial<DownloadOptions> = {}, hash = sha256) {
  const asked: number[] = []
  const activities: HubActivity[] = []
  const seen: number[] = []
  const open = async (_commit: string, _file: string, from: number): Promise<Response> => {
    const answer = answers[Math.min(asked.length, answers.length - 1)]!
    asked.push(from)
    if (answer instanceof CheckpointError) throw answer
    if (answer === 'whole') return new Response(content, { headers: { 'content-length': '10' } })
    const { bytes = 10, breaks } = answer
    let isSent = bytes === 0
    const body = new ReadableStream({
      pull(controller) {
        if (!isSent) controller.enqueue(Uint8Array.from({ length: bytes }, (_, at) => content[from + at] ?? 99))
        else if (breaks === undefined) controller.close()
        else controller.error(new Error('reset'))
        isSent = true
      },
    })
    return new Response(body, { status: 206, headers: { 'content-range': `bytes ${from}-9/10` } })
  }
  const remote = {
    client: { id: 'org/a', host: 'hub.example', open },
    commit: 'c',
    file: { name: 'w.safetensors', byteCount: 10, hash },
  } as unknown as RemoteFile
  const error = await downloadBlob(remote, blob, {
    retryDelayMs: 1,
    stallMs: 1000,
    onBytes: (bytes) => seen.push(bytes),
    onActivity: (activity) => activities.push(activity),
    ...options,
  }).catch((reason: unknown) => reason)
  return { error, asked, activities, seen }
}

const repeated = (reason: string, attempt: number) => ({
  kind: 'repeating',
  id: 'org/a',
  what: 'w.safetensors',
  reason,
  waitMs: 2 ** (attempt - 2),
  attempt,
  attempts: 5,
})

describe('a file', () => {
  test.each([
    ['git', sha1],
    ['its storage', sha256],
  ])('comes once, checked by the hash of %s', async (_, hash) => {
    expect(await download([{}], {}, hash)).toEqual({ error: undefined, asked: [0], activities: [], seen: [0, 10] })
    expect(new Uint8Array(await readFile(blob))).toEqual(content)
    expect(await readdir(join(folder, 'blobs'))).toEqual(['x'])
    expect((await download([{}])).asked).toEqual([])
  })

  test('goes on from what is there, and anew from what is too long or where the hub sends all of it', async () => {
    await download([{ bytes: 0 }])
    await writeFile(partialFile(blob), content.subarray(0, 4))
    expect(await download([{ bytes: 6 }])).toMatchObject({ error: undefined, asked: [4], seen: [4, 10] })
    await rm(blob)
    await writeFile(partialFile(blob), new Uint8Array(11))
    expect(await download([{}])).toMatchObject({ error: undefined, asked: [0], seen: [0, 10] })
    await rm(blob)
    await writeFile(partialFile(blob), new Uint8Array(4))
    expect(await download(['whole'])).toMatchObject({ error: undefined, asked: [4], seen: [0, 10] })
    expect(new Uint8Array(await readFile(blob))).toEqual(content)
  })

  test('that is all there is checked without a request', async () => {
    await download([{ bytes: 0 }])
    await writeFile(partialFile(blob), content)
    expect(await download([{}])).toMatchObject({ error: undefined, asked: [] })
    expect(new Uint8Array(await readFile(blob))).toEqual(content)
  })

  test('of another hash is told and not kept', async () => {
    await download([{ bytes: 0 }])
    await writeFile(partialFile(blob), new Uint8Array(4))
    const { error } = await download([{ bytes: 6 }])
    expect(error).toMatchObject({ code: 'hub-corrupt', issue: { id: 'org/a', file: 'w.safetensors' } })
    expect(await readdir(join(folder, 'blobs'))).toEqual([])
  })
})

describe('a connection', () => {
  test('that brings nothing is taken up five times, each time after twice as long', async () => {
    const { error, asked, activities } = await download([{ bytes: 0, breaks: true }])
    expect(asked).toEqual([0, 0, 0, 0, 0])
    expect(activities).toEqual([2, 3, 4, 5].map((attempt) => repeated('the connection failed', attempt)))
    expect(error).toMatchObject({
      code: 'hub-unreachable',
      issue: {
        id: 'org/a',
        what: 'w.safetensors',
        reason: 'the connection failed',
        host: 'hub.example',
        isPartlyHere: false,
      },
    })
  })

  test('that brings a little each time is taken up as often as it takes', async () => {
    const { error, asked, activities } = await download([{ bytes: 1 }])
    expect(error).toBeUndefined()
    expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(activities).toEqual(Array(9).fill(repeated('the connection ended early', 2)))
  })

  test('that once brought something leaves it, and the count begins there', async () => {
    const { error, asked, activities } = await download([{ bytes: 0 }, { bytes: 3 }, { bytes: 0, breaks: true }])
    expect(asked).toEqual([0, 0, 3, 3, 3, 3])
    expect(activities.map((activity) => activity.kind === 'repeating' && activity.attempt)).toEqual([2, 2, 3, 4, 5])
    expect(error).toMatchObject({ code: 'hub-unreachable', issue: { isPartlyHere: true } })
    expect((await stat(partialFile(blob))).size).toBe(3)
  })

  test('that always ends early is a file of another length, as is one that brings more', async () => {
    const early = await download([{ bytes: 4 }, { bytes: 0 }])
    expect(early.error).toMatchObject({ code: 'hub-length', issue: { found: 4, expected: 10, file: 'w.safetensors' } })
    await rm(partialFile(blob))
    const late = await download([{ bytes: 11 }])
    expect(late.error).toMatchObject({ code: 'hub-length', issue: { found: 11, expected: 10 } })
    expect(late.asked).toEqual([0])
  })

  test('that brought a single byte has left something', async () => {
    const { error } = await download([{ bytes: 1 }, { bytes: 0, breaks: true }])
    expect(error).toMatchObject({ code: 'hub-unreachable', issue: { isPartlyHere: true } })
    const gone = new CheckpointError({ code: 'hub-unreachable', id: 'org/a', what: 'w', reason: 'gone', host: 'h' })
    expect((await download([gone])).error).toMatchObject({ issue: { isPartlyHere: true } })
  })

  test('that can’t be made says whether something of the file is here', async () => {
    const gone = new CheckpointError({
      code: 'hub-unreachable',
      id: 'org/a',
      what: 'w.safetensors',
      reason: 'gone',
      host: 'hub.example',
    })
    const first = await download([gone])
    expect(first.error).toBe(gone)
    const second = await download([{ bytes: 4 }, gone])
    expect(second.error).toMatchObject({ code: 'hub-unreachable', issue: { reason: 'gone', isPartlyHere: true } })
    const refused = new CheckpointError({ code: 'hub-corrupt', id: 'org/a', file: 'w.safetensors' })
    expect((await download([refused])).error).toBe(refused)
  })

  test('that breaks as it is ended ends with the reason for that', async () => {
    const stop = new AbortController()
    const { error } = await download([{ bytes: 4, breaks: true }], {
      signal: stop.signal,
      onBytes: (bytes) => bytes > 0 && stop.abort('enough'),
    })
    expect(error).toBe('enough')
  })

  test('that breaks while it is waited to take it up ends, too', async () => {
    const stop = new AbortController()
    const { error } = await download([{ bytes: 4 }], {
      signal: stop.signal,
      retryDelayMs: 60_000,
      onActivity: () => stop.abort(),
    })
    expect(error).toMatchObject({ name: 'AbortError' })
  })
})

test('who else brings the file is told once, and how far that is each time', async () => {
  await download([{ bytes: 0 }])
  const lock = `${blob}.mk.lock`
  await writeFile(lock, JSON.stringify({ ...identifyProcess(), where: 'elsewhere', host: 'other', pid: 7 }))
  await writeFile(partialFile(blob), new Uint8Array(4))
  const seen: number[] = []
  const { activities, asked, error } = await download([{ bytes: 6 }], {
    onBytes: (bytes) => {
      seen.push(bytes)
      if (seen.length === 1) return void writeFile(partialFile(blob), new Uint8Array(12))
      if (seen.length === 3) void writeFile(blob, content).then(() => rm(lock))
    },
  })
  expect(seen.slice(0, 3)).toEqual([4, 10, 10])
  expect(activities).toEqual([{ kind: 'lock', id: 'org/a', what: 'w.safetensors', pid: 7, host: 'other' }])
  expect([asked, error]).toEqual([[], undefined])
})

test('nobody is told of this process itself', async () => {
  await download([{ bytes: 0 }])
  const lock = `${blob}.mk.lock`
  await writeFile(lock, JSON.stringify(identifyProcess()))
  await writeFile(partialFile(blob), new Uint8Array(4))
  let times = 0
  const { activities } = await download([{}], {
    onBytes: () => {
      if (++times === 2) void writeFile(blob, content).then(() => rm(lock))
    },
  })
  expect(activities).toEqual([])
})
