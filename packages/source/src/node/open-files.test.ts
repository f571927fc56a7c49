import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createOpenFiles } from './open-files.ts'

const root = mkdtempSync(join(tmpdir(), 'mk-open-files-'))
afterAll(() => rmSync(root, { recursive: true }))
const at = (name: string) => join(root, name)
const put = (name: string, text: string) => {
  writeFileSync(at('new'), text)
  renameSync(at('new'), at(name))
}
beforeEach(() => {
  for (const name of ['a', 'b', 'c']) put(name, `${name}1234`)
})

test('as many files stay open as may, those that were read last', () => {
  const files = createOpenFiles(2)
  const read = (name: string) => {
    const into = new Uint8Array(2)
    files.read(at(name), 0, into)
    return String.fromCharCode(...into)
  }
  expect(['a', 'b', 'a'].map(read)).toEqual(['a1', 'b1', 'a1'])
  // What is open shows the file that was opened, what is not the one that has taken its place.
  for (const name of ['a', 'b', 'c']) put(name, `${name}2`)
  expect(['a', 'b', 'c'].map(read)).toEqual(['a1', 'b1', 'c2'])
  expect(['b', 'a'].map(read)).toEqual(['b1', 'a2'])
  files.close()
  expect(read('b')).toBe('b2')
  files.close()
})

test('a file that ends, or is not there, is named with where', () => {
  const files = createOpenFiles()
  expect(() => files.read(at('a'), 3, new Uint8Array(4))).toThrow(
    expect.objectContaining({
      issue: { code: 'file-ended', file: at('a'), byte: 5, byteEnd: 7 },
    }),
  )
  expect(() => files.read(at('none'), 0, new Uint8Array(1))).toThrow(
    expect.objectContaining({ issue: expect.objectContaining({ code: 'unreadable-file', file: at('none') }) }),
  )
  files.read(at('a'), 5, new Uint8Array(0))
  files.close()
})

const rangesOf = (...ranges: readonly (readonly [number, number])[]) => ranges.map(([start, end]) => ({ start, end }))

test('several ranges are read one after the other, and what ends in one is named with where', () => {
  const files = createOpenFiles()
  const into = new Uint8Array(5)
  files.readRanges!(at('a'), 0, 1, rangesOf([3, 5], [0, 1], [2, 4]), into)
  expect(String.fromCharCode(...into)).toBe('34a23')
  expect(() => files.readRanges!(at('a'), 0, 1, rangesOf([0, 2], [3, 6]), into)).toThrow(
    expect.objectContaining({ issue: { code: 'file-ended', file: at('a'), byte: 5, byteEnd: 6 } }),
  )
  expect(() => files.readRanges!(at('none'), 0, 1, rangesOf([0, 5]), into)).toThrow(
    expect.objectContaining({ issue: expect.objectContaining({ code: 'unreadable-file', file: at('none') }) }),
  )
  files.close()
})
