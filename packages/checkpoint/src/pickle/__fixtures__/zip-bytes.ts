import { concat, uint } from './pickle-bytes.ts'

export interface ZipPart {
  readonly name: string
  readonly bytes: Uint8Array
  /** Lies for the central directory. */
  readonly method?: number
  readonly flags?: number
  readonly headerStart?: number
  readonly byteCount?: number
  /** So many bytes are in the header before it that the central directory says nothing of, as torch aligns storages. */
  readonly padding?: number
}

/** A zip of stored entries; `zip64` writes every size and offset in the wide form. */
export function zip(parts: readonly ZipPart[], { zip64 = false, declaredEntries = parts.length } = {}): Uint8Array {
  const files: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let position = 0
  for (const {
    name,
    bytes,
    method = 0,
    flags = 0,
    headerStart = position,
    byteCount = bytes.length,
    padding = 0,
  } of parts) {
    const local = concat(
      'PK\x03\x04',
      uint(0, 2),
      uint(0, 8),
      uint(0, 4),
      uint(0, 8),
      uint(name.length, 2),
      uint(padding, 2),
      name,
      new Uint8Array(padding),
      bytes,
    )
    const narrow = zip64 ? [uint(0xffffffff, 4), uint(0xffffffff, 4)] : [uint(byteCount, 4), uint(byteCount, 4)]
    const extra = zip64
      ? concat(uint(1, 2), uint(24, 2), uint(byteCount, 8), uint(byteCount, 8), uint(headerStart, 8))
      : concat()
    directory.push(
      concat(
        'PK\x01\x02',
        uint(0, 4),
        uint(flags, 2),
        uint(method, 2),
        uint(0, 8),
        ...narrow,
        uint(name.length, 2),
        uint(extra.length, 2),
      ),
      concat(uint(0, 2), uint(0, 8), zip64 ? uint(0xffffffff, 4) : uint(headerStart, 4), name, extra),
    )
    files.push(local)
    position += local.length
  }
  const central = concat(...directory)
  const wideEnd = concat(
    'PK\x06\x06',
    uint(44, 8),
    uint(0, 4),
    uint(0, 8),
    uint(declaredEntries, 8),
    uint(declaredEntries, 8),
    uint(central.length, 8),
    uint(position, 8),
  )
  const locator = concat('PK\x06\x07', uint(0, 4), uint(position + central.length, 8), uint(1, 4))
  const end = zip64
    ? concat(
        'PK\x05\x06',
        uint(0, 4),
        uint(0xffff, 2),
        uint(0xffff, 2),
        uint(0xffffffff, 4),
        uint(0xffffffff, 4),
        uint(0, 2),
      )
    : concat(
        'PK\x05\x06',
        uint(0, 4),
        uint(declaredEntries, 2),
        uint(declaredEntries, 2),
        uint(central.length, 4),
        uint(position, 4),
        uint(0, 2),
      )
  return concat(...files, central, ...(zip64 ? [wideEnd, locator] : []), end)
}

export const torchZip = (
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>>,
  byteOrder = 'little',
): readonly ZipPart[] => [
  { name: 'archive/data.pkl', bytes: pickle },
  { name: 'archive/byteorder', bytes: concat(byteOrder) },
  ...Object.entries(storages).map(([key, bytes]) => ({ name: `archive/data/${key}`, bytes })),
]
