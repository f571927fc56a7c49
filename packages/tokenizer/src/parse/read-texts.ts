import { entryField, entryFields, type SpelledEntries } from './spelled-entries.ts'

/** No string of JSON has one as it is. */
const separator = 0x0a

/**
 * Reads the tokens of entries from one on. Undefined where one is no valid string.
 *
 * They are put in UTF-16 beside one another and split, since decoding UTF-8 and JSON take three times as long.
 */
export function readTexts(bytes: Uint8Array, entries: SpelledEntries, first: number): string[] | undefined {
  const { numbers, count, escaped } = entries
  if (first === count) return []
  let room = 0
  for (let at = entryFields * first; at < entryFields * count; at += entryFields)
    room += numbers[at + entryField.end]! - numbers[at + entryField.start]! + 1
  const units = new Uint16Array(room)
  let length = 0
  for (let at = entryFields * first; at < entryFields * count; at += entryFields) {
    length = putUnits(bytes, numbers[at + entryField.start]!, numbers[at + entryField.end]!, { units, at: length })
    if (length < 0) return undefined
    units[length++] = separator
  }
  const texts = new TextDecoder('utf-16le', { ignoreBOM: true })
    .decode(units.subarray(0, length - 1))
    .split(String.fromCharCode(separator))
  try {
    for (const entry of escaped)
      if (entry >= first) texts[entry - first] = JSON.parse(`"${texts[entry - first]!}"`) as string
  } catch {
    return undefined
  }
  return texts
}

/** Puts the UTF-16 of a piece of UTF-8 somewhere. @returns the place after it; -1 where it is none */
function putUnits(
  bytes: Uint8Array,
  start: number,
  end: number,
  { units, at }: { readonly units: Uint16Array; readonly at: number },
): number {
  let to = at
  for (let place = start; place < end;) {
    const byte = bytes[place++]!
    if (byte < 0x80) {
      units[to++] = byte
      continue
    }
    // Of what follows, the least that isn't to be spelled shorter.
    const [more, least] = byte < 0xe0 ? [1, 0x80] : byte < 0xf0 ? [2, 0x800] : [3, 0x10000]
    if (byte < 0xc2 || byte > 0xf4 || place + more > end) return -1
    let point = byte & (0x3f >> more)
    for (let left = more; left > 0; left--) {
      const next = bytes[place++]!
      if ((next & 0xc0) !== 0x80) return -1
      point = (point << 6) | (next & 0x3f)
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return -1
    if (point < 0x10000) units[to++] = point
    else {
      units[to++] = 0xd7c0 + (point >> 10)
      units[to++] = 0xdc00 | (point & 0x3ff)
    }
  }
  return to
}

/** Decodes a piece of a file. @throws TypeError where it is no UTF-8 */
export const textOf = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
