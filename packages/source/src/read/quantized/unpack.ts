/** Consecutive codes in bytes. */
export interface CodeRun {
  /** Those of whole words, and at least one byte behind them. */
  readonly bytes: Uint8Array
  readonly wordBytes: number
  readonly bits: number
  readonly places: readonly number[] | undefined
  /** Where the first code lies: its bits from the first word on or, among codes with places, its number. */
  readonly first: number
  /** The element that it stands for, among those that are read. */
  readonly from: number
}

/** Elements [from, end) of `into`, to be filled with what a table has for their codes. */
export interface Lookup {
  readonly table: Float32Array
  readonly into: Float32Array
  readonly from: number
  readonly end: number
}

/** Looks up what codes of a run stand for. */
export function unpackCodes(run: CodeRun, lookup: Lookup): void {
  const { bytes, bits, places, wordBytes } = run
  const first = run.first + (lookup.from - run.from) * (places === undefined ? bits : 1)
  if (bits === 8 && places === undefined) unpackBytes(bytes, first >> 3, lookup)
  else if (bits === 4 && places === undefined) unpackNibbles(bytes, first >> 2, 0, lookup)
  else if (bits === 4 && wordBytes === 1 && places![0] === 1) unpackNibbles(bytes, first, 4, lookup)
  else if (places === undefined) unpackBits(bytes, first, bits, lookup)
  else unpackPlaced(run, places, first, lookup)
}

// Each loop is a function of its own, since in that function everything it uses is a local.

function unpackBytes(bytes: Uint8Array, first: number, { table, into, from, end }: Lookup): void {
  for (let i = from, byte = first; i < end; i++, byte++) into[i] = table[bytes[byte]!]!
}

/** @param first bit */
function unpackBits(bytes: Uint8Array, first: number, bits: number, { table, into, from, end }: Lookup): void {
  const mask = (1 << bits) - 1
  for (let i = from, bit = first; i < end; i++, bit += bits) {
    const byte = bit >> 3
    into[i] = table[((bytes[byte]! | (bytes[byte + 1]! << 8)) >> (bit & 7)) & mask]!
  }
}

/**
 * @param first nibble
 * @param shift of the first code of a byte: 0 where the low nibble comes first, else 4
 */
function unpackNibbles(bytes: Uint8Array, first: number, shift: 0 | 4, { table, into, from, end }: Lookup): void {
  const other = 4 - shift
  let byte = first >> 1
  let i = from
  if (first % 2 === 1 && i < end) into[i++] = table[(bytes[byte++]! >> other) & 15]!
  for (; i + 1 < end; i += 2) {
    const pair = bytes[byte++]!
    into[i] = table[(pair >> shift) & 15]!
    into[i + 1] = table[(pair >> other) & 15]!
  }
  if (i < end) into[i] = table[(bytes[byte]! >> shift) & 15]!
}

/** @param first code */
function unpackPlaced(
  { bytes, wordBytes, bits }: CodeRun,
  places: readonly number[],
  first: number,
  { table, into, from, end }: Lookup,
): void {
  const mask = (1 << bits) - 1
  for (let i = from, code = first; i < end; i++, code++) {
    const bit = places[code % places.length]! * bits
    const byte = Math.floor(code / places.length) * wordBytes + (bit >> 3)
    into[i] = table[((bytes[byte]! | (bytes[byte + 1]! << 8)) >> (bit & 7)) & mask]!
  }
}
