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

test('a worker hands over what it writes until its file is open, and then writes itself', async () => {
  const bytes = new Uint8Array(10)
  const log: string[] = []
  const posted: WorkerAnswer[] = []
  const writer = createHandleWriter(new Map([['x', sharedFile(bytes, log)]]), { post: (answer) => posted.push(answer) })
  writer.write('x', 0, Uint8Array.of(1, 2, 3))
  expect(posted).toEqual([{ kind: 'written', file: 'x', position: 0, bytes: Uint8Array.of(1, 2, 3) }])
  await settled()
  writer.write('x', 3, Uint8Array.of(4, 5, 6))
  expect([posted.length, [...bytes]]).toEqual([1, [0, 0, 0, 4, 5, 6, 0, 0, 0, 0]])
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
  const writer = createHandleWriter(new Map([['x', refused]]), { post: (answer) => posted.push(answer) })
  for (const file of ['x', 'y', 'x', 'x']) {
    writer.write(file, 0, Uint8Array.of(1))
    await settled()
  }
  expect(posted).toHaveLength(4)
})

test('of many files some stay open, those that were opened last', async () => {
  const log: string[] = []
  const names = Array.from({ length: 20 }, (_, index) => `${index}`)
  const writer = createHandleWriter(new Map(names.map((name) => [name, sharedFile(new Uint8Array(2), log)])), {
    post: () => {},
  })
  for (const name of names) {
    writer.write(name, 0, Uint8Array.of(1))
    await settled()
  }
  expect(log.filter((what) => what === 'close')).toHaveLength(4)
})
