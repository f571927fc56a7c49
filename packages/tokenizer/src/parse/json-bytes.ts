/** Characters of JSON, as bytes of UTF-8. */
export const byteOf = {
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  zero: 0x30,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const

/** Gives the place of the first byte that is not white space; a control character is none. */
export function pastSpace(bytes: Uint8Array, at: number): number {
  let place = at
  for (;;) {
    const byte = bytes[place]!
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return place
    place++
  }
}

/** Reads strings where they stand, as they are spelled, and what is alike of equal spellings. */
export class Spelling {
  readonly bytes: Uint8Array
  /** Of the last one, without quotation marks. */
  start = 0
  end = 0
  hash = 0
  hasEscapes = false

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Reads a string from its opening quotation mark on. @returns the place after it; -1 where there is no string */
  read(at: number): number {
    if (this.bytes[at] !== byteOf.quote) return -1
    const end = this.readUntil(byteOf.quote, at + 1)
    return end < 0 ? -1 : end + 1
  }

  /** Reads from inside a string up to a mark or the string's end. @returns the place of that; -1 where there is none */
  readUntil(mark: number, from: number): number {
    const { bytes } = this
    let place = from
    let hash = firstHash
    this.hasEscapes = false
    for (;;) {
      let byte = bytes[place]!
      if (byte === byteOf.quote || byte === mark) break
      if (byte === byteOf.backslash) {
        this.hasEscapes = true
        hash = nextHash(hash, byte)
        byte = bytes[++place]!
      }
      if (!(byte >= 0x20)) return -1
      hash = nextHash(hash, byte)
      place++
    }
    this.start = from
    this.end = place
    this.hash = hash
    return place
  }
}

/** FNV-1a, of 32 bits. */
export const firstHash = 0x811c9dc5 | 0
export const nextHash = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193)

/** Goes past a value of any kind; of valid JSON exactly. @returns the place after it; -1 where it never ends or is too deep */
export function pastValue(bytes: Uint8Array, at: number, mostDepth: number): number {
  let depth = 0
  for (let place = at; place < bytes.length; place++) {
    switch (bytes[place]) {
      case byteOf.quote:
        place = closingQuote(bytes, place)
        if (place < 0) return -1
        if (depth === 0) return place + 1
        break
      case byteOf.openBrace:
      case byteOf.openBracket:
        if (++depth > mostDepth) return -1
        break
      case byteOf.closeBrace:
      case byteOf.closeBracket:
        if (depth === 0) return place
        if (--depth === 0) return place + 1
        break
      case byteOf.comma:
        if (depth === 0) return place
        break
    }
  }
  return -1
}

function closingQuote(bytes: Uint8Array, openingQuote: number): number {
  for (let place = openingQuote + 1; place < bytes.length; place++) {
    if (bytes[place] === byteOf.quote) return place
    if (bytes[place] === byteOf.backslash) place++
  }
  return -1
}

/**
 * Goes through the entries of an object.
 *
 * @param pastEntry is given a key of at most `mostKey` ASCII characters (a longer one as '') and the place of its value, and
 * gives the place after that
 * @returns the place after the object; -1 where something is not as it should be, or a key is spelled with escapes
 */
export function walkObject(bytes: Uint8Array, at: number, pastEntry: (key: string, value: number) => number): number {
  if (bytes[at] !== byteOf.openBrace) return -1
  const key = new Spelling(bytes)
  let place = pastSpace(bytes, at + 1)
  if (bytes[place] === byteOf.closeBrace) return place + 1
  for (;;) {
    place = key.read(place)
    if (place < 0 || key.hasEscapes) return -1
    const name = key.end - key.start > mostKey ? '' : String.fromCharCode(...bytes.subarray(key.start, key.end))
    place = pastSpace(bytes, place)
    if (bytes[place] !== byteOf.colon) return -1
    place = pastEntry(name, pastSpace(bytes, place + 1))
    if (place < 0) return -1
    place = pastSpace(bytes, place)
    if (bytes[place] === byteOf.closeBrace) return place + 1
    if (bytes[place] !== byteOf.comma) return -1
    place = pastSpace(bytes, place + 1)
  }
}

const mostKey = 16
