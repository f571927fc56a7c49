import { createFileMap } from '@mk/source/web'
import { describe, expect, test } from 'vitest'
import { concat, uint } from './__fixtures__/pickle-bytes.ts'
import { zip, type ZipPart } from './__fixtures__/zip-bytes.ts'
import { readZipDirectory } from './zip-directory.ts'

const parts: readonly ZipPart[] = [
  { name: 'a', bytes: Uint8Array.of(1, 2, 3) },
  { name: 'bb', bytes: new Uint8Array(0), padding: 5 },
  { name: 'c', bytes: Uint8Array.of(4) },
]
const entriesOf = (bytes: Uint8Array, isPlaced?: (name: string) => boolean) => {
  const files = createFileMap(new Map([['/z', bytes]])).openFiles()
  return [...readZipDirectory({ file: '/z', files, fileBytes: bytes.length }, isPlaced).values()].map(
    ({ name, byteStart, byteEnd }) => [name, byteStart, byteEnd],
  )
}
const places = [
  ['a', 31, 34],
  ['bb', 34 + 30 + 2 + 5, 71],
  ['c', 71 + 31, 103],
]
/** A zip in which some bytes are others. */
const changed = (bytes: Uint8Array, at: number, ...values: readonly number[]) => {
  const copy = bytes.slice()
  copy.set(values, at)
  return copy
}
const expectRefusal = (bytes: Uint8Array, code: string, issue: object = {}) =>
  expect(() => entriesOf(bytes)).toThrow(expect.objectContaining({ code, issue: expect.objectContaining(issue) }))
const plain = zip(parts)
const wide = zip(parts, { zip64: true })
const directoryAt = 103
const endOf = (bytes: Uint8Array) => bytes.length - 22

describe('the entries of a zip', () => {
  test.each([
    ['32', plain],
    ['64', wide],
  ])('lie behind the header before each, with sizes of %s bits', (_, bytes) => {
    expect(entriesOf(bytes)).toEqual(places)
  })

  test('begin at the earliest where that header is not read', () => {
    expect(entriesOf(plain, (name) => name !== 'bb')).toEqual([places[0], ['bb', 66, 66], places[2]])
  })

  test.each([0, 1, 300, 0xffff])('are found before a comment of %i bytes', (count) => {
    const comment = new Uint8Array(count)
    expect(entriesOf(concat(changed(plain, plain.length - 2, count & 255, count >> 8), comment))).toEqual(places)
  })

  test('are not found behind the longest comment', () => {
    expectRefusal(concat(changed(plain, plain.length - 2, 0xff, 0xff), new Uint8Array(0x1_0000)), 'zip-directory', {
      problem: 'there is none at the end of the file',
    })
  })

  test('of an empty zip are none', () => {
    expect(entriesOf(zip([]))).toEqual([])
    expect(entriesOf(zip([], { zip64: true }))).toEqual([])
  })
})

describe('the end of a zip', () => {
  const end = endOf(plain)

  test.each([21, 20, 4, 0])('of %i bytes is none', (count) =>
    expectRefusal(plain.slice(-count || plain.length, count === 0 ? 0 : undefined), 'zip-directory'),
  )

  test('may be on one disk only', () => {
    expectRefusal(changed(plain, end + 4, 1), 'zip-directory', { problem: 'it spans several disks' })
    expect(entriesOf(changed(plain, end + 4, 0xff, 0xff))).toEqual(places)
  })

  test('tells where its directory is, inside the file', () => {
    const bytes = endOf(plain) - directoryAt
    expectRefusal(changed(plain, end + 16, directoryAt + 1), 'zip-directory', {
      problem: `it should be at bytes ${directoryAt + 1} to ${directoryAt + 1 + bytes}, outside the file`,
    })
    expectRefusal(changed(plain, end + 12, bytes + 1), 'zip-directory')
    expectRefusal(changed(plain, end + 12, bytes - 1), 'zip-directory')
    expectRefusal(changed(plain, end + 10, 4), 'zip-directory', {
      problem: 'it should list 4 entries, but 3 can be read',
    })
    expectRefusal(changed(plain, end + 10, 2), 'zip-directory')
    expectRefusal(changed(plain, end + 10, 3, 1), 'zip-directory')
  })

  test('has a directory of 16 MiB at most', () => {
    const limit = 1 << 24
    const size = (count: number) => [count & 255, (count >> 8) & 255, (count >> 16) & 255, count >> 24]
    expectRefusal(changed(plain, end + 12, ...size(limit + 1)), 'pickle-limit', { found: limit + 1, limit })
    expectRefusal(changed(plain, end + 12, ...size(limit)), 'zip-directory')
  })

  test('may refer to a record of 64 bits, which is in the file', () => {
    const locator = endOf(wide) - 20
    const record = locator - 56
    expectRefusal(changed(wide, record, 0), 'zip-directory', { problem: 'its zip64 record is missing' })
    expectRefusal(changed(wide, locator + 8, ...uint(wide.length - 55, 4)), 'zip-directory', {
      problem: 'its zip64 record lies outside the file',
    })
    expectRefusal(changed(wide, locator + 8, ...uint(wide.length - 56, 4)), 'zip-directory', {
      problem: 'its zip64 record is missing',
    })
    expectRefusal(changed(wide, locator + 12, 1), 'zip-directory', {
      problem: 'its zip64 record lies outside the file',
    })
    // The counts of 16 and 32 bits are no longer looked at.
    expect(entriesOf(changed(wide, endOf(wide) + 10, 7, 0, 9, 9, 9, 9, 8, 8, 8, 8))).toEqual(places)
    for (const at of [32, 40, 48]) expectRefusal(changed(wide, record + at, 1), 'zip-directory')
  })
})

describe('an entry', () => {
  test('is stored as it is', () => {
    expectRefusal(changed(plain, directoryAt + 8, 1), 'zip-encrypted', { entry: 'a' })
    expect(entriesOf(changed(plain, directoryAt + 8, 2 + 8))).toEqual(places)
    expectRefusal(changed(plain, directoryAt + 10, 8), 'zip-compressed', { entry: 'a', method: 8 })
    expectRefusal(changed(plain, directoryAt + 24, 2), 'zip-directory', {
      problem: "the stored entry 'a' has two sizes, 2 and 3",
    })
  })

  test('begins with a header', () => {
    expectRefusal(changed(plain, 34, 0), 'zip-directory', {
      problem: "there is no entry at byte 34, where 'bb' should be",
    })
  })

  test('ends before the directory', () => {
    const last = zip([{ name: 'a', bytes: Uint8Array.of(1, 2) }])
    expect(entriesOf(last)).toEqual([['a', 31, 33]])
    expectRefusal(zip([{ name: 'a', bytes: Uint8Array.of(1, 2), byteCount: 3 }]), 'zip-outside', {
      byteEnd: 34,
      limit: 33,
    })
    expectRefusal(changed(last, 33 + 42, 4), 'zip-outside', { byteEnd: 34, limit: 33 })
    expectRefusal(changed(last, 33 + 42, 3), 'zip-directory', {
      problem: "there is no entry at byte 3, where 'a' should be",
    })
  })

  test('does not reach into another, nor has its name', () => {
    expectRefusal(changed(plain, directoryAt + 20, 4, 0, 0, 0, 4), 'zip-overlap', { entry: 'bb', other: 'a' })
    expectRefusal(zip([parts[0]!, parts[0]!]), 'zip-duplicate', { entry: 'a' })
  })

  test('may be followed by a comment of its own, and is not cut off', () => {
    const one = zip([parts[0]!])
    const directory = 34
    const comment = Uint8Array.of(7, 8)
    const end = endOf(one)
    const longer = concat(
      changed(one, directory + 32, 2).slice(0, end),
      comment,
      changed(one, end + 12, end - directory + 2).slice(end),
    )
    expect(entriesOf(longer)).toEqual([places[0]])
    expectRefusal(changed(one, directory + 32, 1), 'zip-directory', { problem: 'an entry is cut off' })
    expectRefusal(changed(one, directory + 30, 1), 'zip-directory', { problem: 'an entry is cut off' })
  })
})

describe('sizes of 64 bits', () => {
  const narrow = (value: number) => uint(value, 4)
  const full = 0xffff_ffff
  /** A zip of one entry, with what the directory says of its sizes, its start and in its extra fields. */
  const single = (sizes: readonly [number, number, number], extra: Uint8Array) => {
    const [part] = parts
    const local = zip([part!]).slice(0, 34)
    const directory = concat(
      'PK\x01\x02',
      new Uint8Array(16),
      narrow(sizes[1]),
      narrow(sizes[0]),
      uint(1, 2),
      uint(extra.length, 2),
      new Uint8Array(10),
      narrow(sizes[2]),
      'a',
      extra,
    )
    const end = concat(
      'PK\x05\x06',
      uint(0, 4),
      uint(1, 2),
      uint(1, 2),
      narrow(directory.length),
      narrow(34),
      uint(0, 2),
    )
    return concat(local, directory, end)
  }
  const field = (id: number, ...bytes: readonly Uint8Array[]) => {
    const content = concat(...bytes)
    return concat(uint(id, 2), uint(content.length, 2), content)
  }
  const missing = { problem: "the zip64 sizes of entry 'a' are missing" }

  test.each<[string, readonly [number, number, number], Uint8Array]>([
    ['all', [full, full, full], field(1, uint(3, 8), uint(3, 8), uint(0, 8))],
    ['the sizes', [full, full, 0], field(1, uint(3, 8), uint(3, 8))],
    ['the start', [3, 3, full], field(1, uint(0, 8))],
    ['one size', [3, full, 0], field(1, uint(3, 8))],
    [
      'all, after other fields',
      [full, full, full],
      concat(field(9), field(7, Uint8Array.of(5, 0, 0)), field(1, uint(3, 8), uint(3, 8), uint(0, 8))),
    ],
    ['none, whatever a field says', [3, 3, 0], field(1, uint(9, 8))],
    ['none, with a field cut off', [3, 3, 0], uint(1, 2)],
  ])('may be those of %s', (_, sizes, extra) => {
    expect(entriesOf(single(sizes, extra))).toEqual([places[0]])
  })

  test.each<[string, Uint8Array]>([
    ['without a field', concat()],
    ['with another field', field(2, uint(3, 8), uint(3, 8), uint(0, 8))],
    ['with too few', field(1, uint(3, 8), uint(3, 8))],
    ['with a field cut off', field(1, uint(3, 8), uint(3, 8), uint(0, 8)).slice(0, -1)],
    ['with the beginning of a field', concat(field(9), uint(1, 2), uint(0, 1))],
  ])('are missing %s', (_, extra) => expectRefusal(single([full, full, full], extra), 'zip-directory', missing))

  test('have all of their digits', () => {
    expectRefusal(single([full, full, 0], field(1, uint(3 + 2 ** 32, 8), uint(3, 8))), 'zip-directory', {
      problem: "the stored entry 'a' has two sizes, 4294967299 and 3",
    })
  })
})
