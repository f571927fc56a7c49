import { expect, test } from 'vitest'
import type { WorkerAnswer } from '../run/worker-port.ts'
import { createHandleWriter } from './handle-writer.ts'
import type { WebFile } from './web-folder.ts'

/** A file that several can open, at two bytes a write. */
function sharedFile(bytes: Uint8Array, log: string[]): WebFile {
  return {
    createWritable: () => Promise.reject(new Error('none')),
    createSyncAccessHandle: async (options) => {
      log.push('open')
      return {
        mode: options!.mode,
        write(data, { at }) {
          if (at + data.length > bytes.length) throw Object.assign(new Error('full'), { name: 'QuotaExceededError' })
          bytes.set(data.subarray(0, 2), at)
          return Math.min(2, data.length)
        },
        truncate: () => {},
        close: () => log.push('close'),
      }
    },
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve))

test('a worker opens its files before it writes to them', async () => {
  const bytes = new Uint8Array(10)
  const log: string[] = []
  const posted: WorkerAnswer[] = []
  const writer = await createHandleWriter(new Map([['x', sharedFile(bytes, log)]]), {
    post: (answer) => posted.push(answer),
  })
  writer.write('x', 3, Uint8Array.of(4, 5, 6))
  expect([posted, [...bytes]]).toEqual([[], [0, 0, 0, 4, 5, 6, 0, 0, 0, 0]])
  expect(() => writer.write('x', 9, Uint8Array.of(1, 2))).toThrow(
    expect.objectContaining({
      code: 'write-failed',
      issue: { code: 'write-failed', file: 'x', reason: 'the browser gives this page no more room' },
    }),
  )
  writer.close()
  expect(log).toEqual(['open', 'close'])
})

test('hands over what is of a file that it has none of, or may not open', async () => {
  const posted: WorkerAnswer[] = []
  const refused: WebFile = {
    ...sharedFile(new Uint8Array(2), []),
    createSyncAccessHandle: () => Promise.reject(new Error('no')),
  }
  const writer = await createHandleWriter(new Map([['x', refused]]), { post: (answer) => posted.push(answer) })
  for (const file of ['x', 'y', 'x', 'x']) writer.write(file, 0, Uint8Array.of(1))
  expect(posted).toHaveLength(4)
})

test('of many files some stay open; what is written to another is handed over until that is open', async () => {
  const log: string[] = []
  const posted: WorkerAnswer[] = []
  const files = new Map(Array.from({ length: 20 }, (_, index) => [`${index}`, new Uint8Array(4)]))
  const handles = new Map([...files].map(([name, bytes]) => [name, sharedFile(bytes, log)]))
  const writer = await createHandleWriter(handles, { post: (answer) => posted.push(answer) })
  expect(log).toEqual(Array(16).fill('open'))
  for (const [name, position] of [
    ['0', 0],
    ['15', 0],
    ['16', 0],
    ['16', 2],
  ] as const) {
    writer.write(name, position, Uint8Array.of(1, 2))
    await settled()
  }
  expect(['0', '15', '16'].map((name) => [...files.get(name)!])).toEqual([
    [1, 2, 0, 0],
    [1, 2, 0, 0],
    [0, 0, 1, 2],
  ])
  expect(posted).toEqual([{ kind: 'written', file: '16', position: 0, bytes: Uint8Array.of(1, 2) }])
  expect(log.slice(16)).toEqual(['close', 'open'])
})
