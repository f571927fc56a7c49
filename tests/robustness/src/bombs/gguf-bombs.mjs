import { ggufBytes, ggufStart, u32, u64, u8 } from '../gguf-bytes.mjs'

const bomb = (name, make) => ({ name: `gguf: ${name}`, kind: 'gguf', make: () => ggufBytes(make()) })
const many = (count, of) => Array.from({ length: count }, (_, index) => of(index)).flat()
const tensor = (name, offset) => [name, u32(1), u64(32), u32(0), u64(offset)]
const repeated = (fields, count) => {
  const piece = ggufBytes(fields)
  return Buffer.alloc(piece.length * count, piece)
}

/** @type {readonly import('./run-bomb.mjs').Bomb[]} */
export const ggufBombs = [
  bomb('10^7 keys', () => [...ggufStart(0, 1e7), repeated(['k', u32(7), u8(1)], 1e7)]),
  bomb('65,536 keys and a number that is past them', () => [
    ...ggufStart(0, 65_536),
    ...many(65_536, (index) => [`key ${index}`, u32(7), u8(1)]),
  ]),
  bomb('131,072 empty tensors in one place', () => [
    ...ggufStart(131_072, 0),
    ...many(131_072, (index) => [`t${index}`, u32(1), u64(0), u32(0), u64(0)]),
  ]),
  bomb('10^7 tensors', () => [...ggufStart(1e7, 0), repeated(tensor('t', 0), 1e6)]),
  bomb('a count of 2^64 − 1', () => ggufStart(2n ** 64n - 1n, 2n ** 64n - 1n)),
  bomb('a key of 2^63 bytes', () => [...ggufStart(0, 1), u64(2n ** 63n), Buffer.alloc(100)]),
  bomb('a string of 90 MB', () => [...ggufStart(0, 1), 'k', u32(8), 'x'.repeat(9e7)]),
  bomb('10^7 empty strings', () => [...ggufStart(0, 1), 'k', u32(9), u32(8), u64(1e7), Buffer.alloc(8e7)]),
  bomb('2·10^6 empty strings', () => [...ggufStart(0, 1), 'k', u32(9), u32(8), u64(2e6), Buffer.alloc(16e6)]),
  bomb('2·10^6 strings of three bytes', () => [
    ...ggufStart(0, 1),
    'k',
    u32(9),
    u32(8),
    u64(2e6),
    repeated(['abc'], 2e6),
    Buffer.alloc(32),
  ]),
  bomb('65,536 arrays in an array', () => [
    ...ggufStart(0, 1),
    'k',
    u32(9),
    u32(9),
    u64(65_536),
    repeated([u32(0), u64(0)], 65_536),
    Buffer.alloc(32),
  ]),
  bomb('10^6 arrays in an array', () => [
    ...ggufStart(0, 1),
    'k',
    u32(9),
    u32(9),
    u64(1e6),
    repeated([u32(0), u64(0)], 1e6),
  ]),
  bomb('arrays nested 10^6 deep', () => [...ggufStart(0, 1), 'k', u32(9), repeated([u32(9), u64(1)], 1e6)]),
  bomb('4 MB of bytes that are no text', () => [
    ...ggufStart(0, 1),
    'k',
    u32(8),
    u64(2 ** 22),
    Buffer.alloc(2 ** 22, 0xff),
    Buffer.alloc(32),
  ]),
  bomb('an alignment of 0', () => [...ggufStart(0, 1), 'general.alignment', u32(4), u32(0), Buffer.alloc(64)]),
  bomb('an alignment of 2^31', () => [...ggufStart(0, 1), 'general.alignment', u32(4), u32(2 ** 31), Buffer.alloc(64)]),
  bomb('a shape past 2^53, hidden by a 0', () => [
    ...ggufStart(1, 0),
    'w',
    u32(3),
    u64(0),
    u64(2n ** 60n),
    u64(2n ** 60n),
    u32(0),
    u64(0),
    Buffer.alloc(64),
  ]),
  bomb('keys of terminal escapes', () => [...ggufStart(0, 2), ...many(2, () => ['\u001b[2J\u0007', u32(7), u8(1)])]),
]
