import { SourceError } from '@mk/source'
import { expect, test } from 'vitest'
import { createByteCursor, readFully } from './byte-cursor.ts'

const windowBytes = 2 ** 16
const content = Uint8Array.from({ length: 3 * windowBytes }, (_, index) => (index * 7) % 251)

/** A cursor over a part of a file, and the ranges that it reads. */
function cursorOver(byteStart: number, byteEnd: number) {
  const reads: (readonly [number, number])[] = []
  const files = {
    read(_file: string, from: number, into: Uint8Array) {
      reads.push([from, into.length])
      into.set(content.subarray(from, from + into.length))
    },
    close() {},
  }
  return { cursor: createByteCursor({ file: 'f', files, fileBytes: content.length }, byteStart, byteEnd), reads }
}
const at = (from: number, count: number) => content.slice(from, from + count)

test('bytes are read forward, in windows that end where the part does', () => {
  const { cursor, reads } = cursorOver(10, windowBytes + 30)
  expect([cursor.file, cursor.position]).toEqual(['f', 10])
  expect(cursor.readByte()).toBe(content[10])
  expect(cursor.readBytes(5)).toEqual(at(11, 5))
  expect(cursor.position).toBe(16)
  expect(cursor.readBytes(windowBytes - 6)).toEqual(at(16, windowBytes - 6))
  expect(reads).toEqual([[10, windowBytes]])
  expect(cursor.readByte()).toBe(content[windowBytes + 10])
  expect(reads).toEqual([
    [10, windowBytes],
    [windowBytes + 10, 20],
  ])
  expect(cursor.readBytes(19)).toEqual(at(windowBytes + 11, 19))
  expect(cursor.position).toBe(windowBytes + 30)
})

test('what goes over the end of a window, or is longer than one, is read at once', () => {
  const { cursor, reads } = cursorOver(0, content.length)
  cursor.readBytes(windowBytes - 1)
  expect(cursor.readBytes(2)).toEqual(at(windowBytes - 1, 2))
  expect(cursor.readBytes(windowBytes + 1)).toEqual(at(windowBytes + 1, windowBytes + 1))
  expect(reads).toEqual([
    [0, windowBytes],
    [windowBytes - 1, windowBytes],
    [windowBytes + 1, windowBytes + 1],
  ])
})

test('nothing is read beyond the end of the part', () => {
  const { cursor, reads } = cursorOver(0, 3)
  const truncated = expect.objectContaining({
    code: 'pickle-truncated',
    issue: { code: 'pickle-truncated', file: 'f', byte: 3 },
  })
  expect(() => cursor.readBytes(4)).toThrow(truncated)
  expect(reads).toEqual([])
  expect(cursor.readBytes(3)).toEqual(at(0, 3))
  expect(() => cursor.readByte()).toThrow(truncated)
  expect(cursor.readBytes(0)).toEqual(new Uint8Array(0))
  expect(cursor.position).toBe(3)
})

test('a file that ends before is truncated, and what the system says comes as it is', () => {
  const reading = (error: unknown) => () =>
    readFully(
      {
        file: 'f',
        files: {
          read() {
            throw error
          },
          close() {},
        },
        fileBytes: 9,
      },
      new Uint8Array(1),
      0,
    )
  const ended = new SourceError({ code: 'file-ended', file: 'f', byte: 7, byteEnd: 9 })
  expect(reading(ended)).toThrow(
    expect.objectContaining({
      code: 'pickle-truncated',
      issue: expect.objectContaining({ file: 'f', byte: 7 }),
      cause: ended,
    }),
  )
  const cause = new Error('EIO')
  expect(reading(new SourceError({ code: 'unreadable-file', file: 'f', reason: 'r' }, { cause }))).toThrow(cause)
  const other = new TypeError('another')
  expect(reading(other)).toThrow(other)
})
