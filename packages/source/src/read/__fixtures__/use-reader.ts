// A reader and a folder for the tests of the calling file, and comparisons with the naive reading.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Dtype, dtypeBytes, elementCount } from '@mk/safetensors'
import { afterAll, afterEach, beforeEach, expect } from 'vitest'
import type { FileSource, TensorSource } from '../../tensor-source.ts'
import { createSourceReader, type SourceReader } from '../../node/index.ts'
import { naiveRead, storedTensor, toNumbers } from './naive.ts'

/** Values that every float dtype holds exactly, and that differ from their neighbors. */
export const values = (count: number, salt = 0): number[] =>
  Array.from({ length: count }, (_, i) => (((i + salt) * 7) % 29) - 14)

/** The first element that isn't as expected; without the diff of `toEqual`, which takes minutes for long lists. */
export function difference(found: readonly number[], expected: readonly number[]): string | undefined {
  if (found.length !== expected.length) return `${found.length} elements instead of ${expected.length}`
  const at = expected.findIndex((value, i) => !Object.is(value, found[i]))
  return at < 0 ? undefined : `${found[at]} instead of ${expected[at]} at ${at}`
}

export interface TestReader {
  readonly folder: string
  /** The one of the current test. */
  readonly reader: SourceReader
  /** Stores a tensor in a file of its own. */
  tensor(dtype: Dtype, shape: readonly number[], numbers?: readonly number[]): FileSource
  read(source: TensorSource, start?: number, count?: number): number[]
  /** Reads all of it, then in parts of several sizes, and compares with the naive reading. */
  mismatch(source: TensorSource, parts?: readonly number[]): string | undefined
}

export function useReader(): TestReader {
  const folder = mkdtempSync(join(tmpdir(), 'source-reader-'))
  let reader: SourceReader
  let stored = 0
  afterAll(() => rmSync(folder, { recursive: true }))
  beforeEach(() => {
    reader = createSourceReader()
  })
  afterEach(() => reader.close())

  function read(source: TensorSource, start = 0, count = elementCount(source.shape) - start): number[] {
    const bytes = dtypeBytes(source.dtype)
    // Not aligned, and with a guard on both sides.
    const buffer = new Uint8Array(count * bytes + 2).fill(0x5a)
    reader.read(source, start, count, buffer.subarray(1, 1 + count * bytes))
    expect([buffer[0], buffer.at(-1)]).toEqual([0x5a, 0x5a])
    return toNumbers(source.dtype, buffer.slice(1, -1))
  }

  return {
    folder,
    get reader() {
      return reader
    },
    tensor: (dtype, shape, numbers = values(elementCount(shape), stored)) =>
      storedTensor(folder, `${stored++}`, dtype, shape, numbers),
    read,
    mismatch(source, parts = [1, 3, 7, 64, 1000]) {
      const all = naiveRead(source)
      const readInParts = (part: number) =>
        Array.from({ length: Math.ceil(all.length / part) }, (_, i) =>
          read(source, i * part, Math.min(part, all.length - i * part)),
        ).flat()
      const feasible = parts.filter((part) => part < all.length && all.length / part <= 500)
      return [read(source), ...feasible.map(readInParts)]
        .map((found) => difference(found, all))
        .find((found) => found !== undefined)
    },
  }
}
