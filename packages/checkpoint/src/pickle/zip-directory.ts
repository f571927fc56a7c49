import { CheckpointError } from '../errors.ts'
import { type OpenedFile, readFully } from './machine/byte-cursor.ts'

/** A stored entry: where its bytes are in the file. */
export interface ZipEntry {
  readonly name: string
  readonly byteStart: number
  readonly byteEnd: number
}

const endBytes = 22
const locatorBytes = 20
const longestComment = 0xffff
/** Enough for more than 100,000 entries. */
const maxDirectoryBytes = 1 << 24

/**
 * Reads the entries of a zip file by name, from its central directory (PKWARE APPNOTE 6.3, zip64 included). Entries that are
 * compressed or encrypted, overlap, occur twice or leave the file are errors: torch.save writes none of these.
 * @param isPlaced for which entries the header before them is read, which may be longer than the directory tells: others begin where
 * they could at the earliest
 */
export function readZipDirectory(
  opened: OpenedFile,
  isPlaced: (name: string) => boolean = () => true,
): ReadonlyMap<string, ZipEntry> {
  const { file } = opened
  const { count, byteStart, byteEnd } = findDirectory(opened)
  const entries = parseDirectory(read(opened, byteStart, byteEnd), file, count)
  const placed = entries.map((entry) => place(opened, entry, byteStart, isPlaced(entry.name)))
  const byName = new Map<string, ZipEntry>()
  for (const entry of placed) {
    if (byName.has(entry.name)) throw new CheckpointError({ code: 'zip-duplicate', file, entry: entry.name })
    byName.set(entry.name, entry)
  }
  placed.sort((left, right) => left.headerStart - right.headerStart)
  for (const [index, entry] of placed.entries()) {
    const previous = placed[index - 1]
    if (previous !== undefined && entry.headerStart < previous.byteEnd) {
      throw new CheckpointError({ code: 'zip-overlap', file, entry: entry.name, other: previous.name })
    }
  }
  return byName
}

interface DirectoryEntry {
  readonly name: string
  readonly headerStart: number
  readonly byteCount: number
}

const fault = (file: string, problem: string): CheckpointError =>
  new CheckpointError({ code: 'zip-directory', file, problem })

function findDirectory(opened: OpenedFile) {
  const { file, fileBytes } = opened
  const tailStart = Math.max(0, fileBytes - endBytes - longestComment)
  const tail = read(opened, tailStart, fileBytes)
  let at = tail.byteLength - endBytes
  while (
    at >= 0 &&
    !(tail.getUint32(at, true) === 0x06054b50 && at + endBytes + tail.getUint16(at + 20, true) === tail.byteLength)
  )
    at--
  if (at < 0) throw fault(file, 'there is none at the end of the file')
  const disks = tail.getUint16(at + 4, true)
  let count = tail.getUint16(at + 10, true)
  let bytes = tail.getUint32(at + 12, true)
  let byteStart = tail.getUint32(at + 16, true)
  let byteEnd = tailStart + at
  if (at >= locatorBytes && tail.getUint32(at - locatorBytes, true) === 0x07064b50) {
    byteEnd = uint64(tail, at - locatorBytes + 8)
    if (byteEnd + 56 > fileBytes) throw fault(file, 'its zip64 record lies outside the file')
    const record = read(opened, byteEnd, byteEnd + 56)
    if (record.getUint32(0, true) !== 0x06064b50) throw fault(file, 'its zip64 record is missing')
    count = uint64(record, 32)
    bytes = uint64(record, 40)
    byteStart = uint64(record, 48)
  }
  if (disks !== 0 && disks !== 0xffff) throw fault(file, 'it spans several disks')
  if (bytes > maxDirectoryBytes)
    throw new CheckpointError({
      code: 'pickle-limit',
      file,
      what: 'the size of the zip directory',
      found: bytes,
      limit: maxDirectoryBytes,
    })
  if (byteStart + bytes > byteEnd)
    throw fault(file, `it should be at bytes ${byteStart} to ${byteStart + bytes}, outside the file`)
  return { count, byteStart, byteEnd: byteStart + bytes }
}

function parseDirectory(directory: DataView, file: string, count: number): readonly DirectoryEntry[] {
  const entries: DirectoryEntry[] = []
  const decoder = new TextDecoder()
  let at = 0
  while (at + 46 <= directory.byteLength && directory.getUint32(at, true) === 0x02014b50) {
    const nameBytes = directory.getUint16(at + 28, true)
    const extraBytes = directory.getUint16(at + 30, true)
    const end = at + 46 + nameBytes + extraBytes + directory.getUint16(at + 32, true)
    if (end > directory.byteLength) throw fault(file, 'an entry is cut off')
    const name = decoder.decode(new Uint8Array(directory.buffer, directory.byteOffset + at + 46, nameBytes))
    const method = directory.getUint16(at + 10, true)
    if ((directory.getUint16(at + 8, true) & 1) !== 0)
      throw new CheckpointError({ code: 'zip-encrypted', file, entry: name })
    if (method !== 0) throw new CheckpointError({ code: 'zip-compressed', file, entry: name, method })
    const extra = new DataView(directory.buffer, directory.byteOffset + at + 46 + nameBytes, extraBytes)
    const wide = wideFields(extra, [
      directory.getUint32(at + 24, true),
      directory.getUint32(at + 20, true),
      directory.getUint32(at + 42, true),
    ])
    if (wide === undefined) throw fault(file, `the zip64 sizes of entry '${name}' are missing`)
    const [byteCount, storedBytes, headerStart] = wide
    if (byteCount !== storedBytes)
      throw fault(file, `the stored entry '${name}' has two sizes, ${byteCount} and ${storedBytes}`)
    entries.push({ name, headerStart, byteCount })
    at = end
  }
  if (at !== directory.byteLength || entries.length !== count) {
    throw fault(file, `it should list ${count} entries, but ${entries.length} can be read`)
  }
  return entries
}

/** Size, stored size and offset of an entry: those that don't fit 32 bits follow in the extra field 1, in this order. */
function wideFields(
  extra: DataView,
  narrow: readonly [number, number, number],
): readonly [number, number, number] | undefined {
  if (!narrow.includes(0xffff_ffff)) return narrow
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const end = at + 4 + extra.getUint16(at + 2, true)
    if (end > extra.byteLength) return undefined
    if (extra.getUint16(at, true) === 1) {
      let field = at + 4
      const fields = narrow.map((value) => {
        if (value !== 0xffff_ffff) return value
        field += 8
        return field <= end ? uint64(extra, field - 8) : undefined
      })
      return fields.includes(undefined) ? undefined : (fields as unknown as [number, number, number])
    }
    at = end
  }
  return undefined
}

function place(
  opened: OpenedFile,
  { name, headerStart, byteCount }: DirectoryEntry,
  limit: number,
  isHeaderRead: boolean,
) {
  const { file } = opened
  if (headerStart + 30 > limit)
    throw new CheckpointError({ code: 'zip-outside', file, entry: name, byteEnd: headerStart + 30, limit })
  const header = isHeaderRead ? read(opened, headerStart, headerStart + 30) : undefined
  if (header !== undefined && header.getUint32(0, true) !== 0x04034b50)
    throw fault(file, `there is no entry at byte ${headerStart}, where '${name}' should be`)
  const nameBytes = header?.getUint16(26, true) ?? new TextEncoder().encode(name).length
  const byteStart = headerStart + 30 + nameBytes + (header?.getUint16(28, true) ?? 0)
  const byteEnd = byteStart + byteCount
  if (byteEnd > limit) throw new CheckpointError({ code: 'zip-outside', file, entry: name, byteEnd, limit })
  return { name, headerStart, byteStart, byteEnd }
}

function read(opened: OpenedFile, byteStart: number, byteEnd: number): DataView<ArrayBuffer> {
  const bytes = new Uint8Array(byteEnd - byteStart)
  readFully(opened, bytes, byteStart)
  return new DataView(bytes.buffer)
}

/** Beyond 2^53 the value is not exact, but still far beyond any file. */
const uint64 = (view: DataView, at: number): number => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
