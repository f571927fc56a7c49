/** Consecutive codes in bytes. */
export interface CodeRun {
  /** Those of whole words, and at least one byte behind them. */
  readonly bytes: Uint8Array
  readonly wordBytes: number
  readonly bits: number
  readonly places: readonly number[] | undefined
  /** Where the first code lies: its bits from the first word on or, among codes with places, its number. */
  readonly first: number
}

/** Looks up what consecutive codes stand for, as many as `into` holds. */
export function unpackCodes(run: CodeRun, table: Float32Array, into: Float32Array): void {
  const { bytes, bits, places, wordBytes, first } = run
  if (bits === 8 && places === undefined) unpackBytes(bytes, first >> 3, table, into)
  else if (bits === 4 && places === undefined) unpackNibbles(bytes, first >> 2, table, into, 0)
  else if (bits === 4 && wordBytes === 1 && places?.join() === '1,0') unpackNibbles(bytes, first, table, into, 4)
  else if (places === undefined) unpackBits(bytes, first, bits, table, into)
  else unpackPlaced(run, places, table, into)
}

function unpackBytes(bytes: Uint8Array, first: number, table: Float32Array, into: Float32Array): void {
  for (let i = 0, byte = first; i < into.length; i++, byte++) into[i] = table[bytes[byte]!]!
}

/** @param first bit */
function unpackBits(bytes: Uint8Array, first: number, bits: number, table: Float32Array, into: Float32Array): void {
  const mask = (1 << bits) - 1
  for (let i = 0, bit = first; i < into.length; i++, bit += bits) {
    const byte = bit >> 3
    into[i] = table[((bytes[byte]! | (bytes[byte + 1]! << 8)) >> (bit & 7)) & mask]!
  }
}

/** @param first nibble
 * @param shift of the first code of a byte: 0 where the low nibble comes first, else 4 */
function unpackNibbles(bytes: Uint8Array, first: number, table: Float32Array, into: Float32Array, shift: 0 | 4): void {
  const other = 4 - shift
  let byte = first >> 1
  let i = 0
  if (first % 2 === 1 && into.length > 0) into[i++] = table[(bytes[byte++]! >> other) & 15]!
  for (; i + 1 < into.length; i += 2) {
    const pair = bytes[byte++]!
    into[i] = table[(pair >> shift) & 15]!
    into[i + 1] = table[(pair >> other) & 15]!
  }
  if (i < into.length) into[i] = table[(bytes[byte]! >> shift) & 15]!
}

function unpackPlaced(
  { bytes, wordBytes, bits, first }: CodeRun,
  places: readonly number[],
  table: Float32Array,
  into: Float32Array,
): void {
  const mask = (1 << bits) - 1
  for (let i = 0; i < into.length; i++) {
    const word = Math.floor((first + i) / places.length)
    const bit = places[(first + i) % places.length]! * bits
    const byte = word * wordBytes + (bit >> 3)
    into[i] = table[((bytes[byte]! | (bytes[byte + 1]! << 8)) >> (bit & 7)) & mask]!
  }
}
