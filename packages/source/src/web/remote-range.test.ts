import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createFileMap } from './file-map.ts'
import { defaultWindows } from './read-windows.ts'
import { fetchRange, requestRange } from './remote-range.ts'

const bytes = Uint8Array.from({ length: 10 }, (_, index) => index)
const file = { url: 'https://x.org/f', byteCount: 10, headers: { authorization: 'Bearer t' } }

/** What a server says: a status, or why the connection fails. */
type Said = number | Error
let said: Said[]
let asked: unknown[]
let waits: number[]
const bodyFor = (status: number, range: string): Uint8Array => {
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(range)!
  return status === 206 ? bytes.slice(Number(start), Number(end) + 1) : bytes.slice()
}
const next = () => {
  const one = said.length > 1 ? said.shift()! : said[0]!
  if (one instanceof Error) throw one
  return one
}
beforeEach(() => {
  asked = []
  waits = []
  vi.stubGlobal('setTimeout', (resume: () => void, ms: number) => {
    waits.push(ms)
    resume()
  })
  vi.stubGlobal('fetch', async (url: string, { headers }: { headers: Record<string, string> }) => {
    asked.push([url, headers])
    const status = next()
    return new Response(bodyFor(status, headers['range']!).slice().buffer as ArrayBuffer, { status })
  })
  vi.stubGlobal(
    'XMLHttpRequest',
    class {
      private readonly headers: Record<string, string> = {}
      private how: unknown
      responseType = ''
      status = 0
      response: ArrayBuffer | null = null
      open(method: string, url: string, isAsync: boolean) {
        this.how = [method, url, isAsync]
      }
      setRequestHeader(name: string, value: string) {
        this.headers[name] = value
      }
      send() {
        asked.push([this.how, this.responseType, this.headers])
        this.status = next()
        this.response = bodyFor(this.status, this.headers['range']!).slice().buffer as ArrayBuffer
      }
    },
  )
})
afterEach(() => vi.unstubAllGlobals())

const headers = { authorization: 'Bearer t', range: 'bytes=2-4' }
const ways: readonly [string, () => Promise<Uint8Array>, unknown, readonly number[]][] = [
  ['fetched', () => fetchRange('/f', file, 2, 5), ['https://x.org/f', headers], [500, 1000, 2000]],
  [
    'requested at once',
    async () => requestRange('/f', file, 2, 5),
    [['GET', 'https://x.org/f', false], 'arraybuffer', headers],
    [],
  ],
]

describe.each(ways)('a range that is %s', (_, read, request, pauses) => {
  test('has its bytes, of a server that knows ranges or none', async () => {
    said = [206]
    expect(await read()).toEqual(bytes.subarray(2, 5))
    said = [200]
    expect(await read()).toEqual(bytes.subarray(2, 5))
    expect(asked).toEqual([request, request])
    expect(waits).toEqual([])
  })

  test.each<[string, Said]>([
    ['a busy server', 503],
    ['one with an error', 500],
    ['one that limits the rate', 429],
    ['a connection that fails', new TypeError('failed')],
  ])('is asked for again after %s', async (_, answer) => {
    said = [answer, answer, answer, 206]
    expect(await read()).toEqual(bytes.subarray(2, 5))
    expect(waits).toEqual(pauses)
  })

  test('is given up after four tries, with what the server answered', async () => {
    said = [503]
    const error = { code: 'EREMOTE', syscall: 'read', path: '/f' }
    await expect(read()).rejects.toMatchObject({
      ...error,
      message: expect.stringContaining('the server answered 503'),
    })
    expect(asked).toHaveLength(4)
    said = [new TypeError('failed')]
    await expect(read()).rejects.toMatchObject({
      ...error,
      message: expect.stringContaining('lets no page of others read the answer'),
      cause: said[0],
    })
    expect(asked).toHaveLength(8)
  })

  test.each([404, 499, 416])('that is refused with %i is not asked for again', async (status) => {
    said = [status]
    await expect(read()).rejects.toThrow(`the server answered ${status}`)
    expect(asked).toHaveLength(1)
  })

  test('of a server that sends something else is refused', async () => {
    said = [203]
    await expect(read()).rejects.toThrow('the server sent 10 bytes instead of 3')
  })
})

test('errors that are no lost connections are told at once', async () => {
  said = [new Error('out of memory')]
  await expect(fetchRange('/f', file, 2, 5)).rejects.toMatchObject({ cause: said[0] })
  expect(asked).toHaveLength(1)
  const own = Object.assign(new Error('gone'), { syscall: 'read' })
  said = [own]
  await expect(fetchRange('/f', file, 2, 5)).rejects.toBe(own)
})

test('an answer of another length than was asked for is refused', async () => {
  said = [206]
  await expect(fetchRange('/f', { ...file, byteCount: 10 }, 8, 12)).rejects.toThrow('sent 2 bytes instead of 4')
  said = [200]
  expect(() => requestRange('/f', { ...file, byteCount: 11 }, 2, 5)).toThrow('sent 10 bytes instead of 3')
})

test('files of a server are read at once by those who read at once', () => {
  said = [206]
  const into = new Uint8Array(3)
  createFileMap(new Map([['/f', file]]), { ...defaultWindows, firstBytes: 3 })
    .openFiles()
    .read('/f', 2, into)
  expect(into).toEqual(bytes.subarray(2, 5))
})

test('nothing is asked for behind the end of a file', async () => {
  said = [206]
  const read = (byteStart: number, count: number) =>
    createFileMap(new Map([['/f', file]])).withFile('/f', (opened) => opened.read(byteStart, new Uint8Array(count)))
  expect([await read(10, 4), await read(12, 4), await read(3, 0)]).toEqual([0, 0, 0])
  expect(asked).toEqual([])
  expect(await read(8, 4)).toBe(2)
})

test('a window of a server is a megabyte first, of a blob a sixteenth, and four megabytes at most, of sixteen files', () => {
  expect(defaultWindows).toEqual({
    mostBytes: 4 * 2 ** 20,
    firstBytes: 2 ** 16,
    firstOfServers: 2 ** 20,
    files: 16,
  })
})
