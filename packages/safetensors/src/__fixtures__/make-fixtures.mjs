// Writes the files beside it: `node src/__fixtures__/make-fixtures.mjs`. Each is named after the issue it must raise,
// with what tells two of a kind apart after a dot; `valid.*` must open.
import { writeFileSync } from 'node:fs'

const utf8 = new TextEncoder()
const f32 = (shape, ...data_offsets) => ({ dtype: 'F32', shape, data_offsets })

/** A file of this header (text, bytes, or an object to become JSON) and so many zero bytes of data. */
function file(header, dataBytes = 0, claimedBytes = undefined) {
  const json =
    header instanceof Uint8Array ? header : utf8.encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + json.length + dataBytes)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(claimedBytes ?? json.length), true)
  bytes.set(json, 8)
  return bytes
}

const files = {
  'valid.empty': file({}),
  'valid.scalar': file({ s: f32([], 0, 4) }, 4),
  'valid.zero-size-tensor': file({ a: f32([2], 0, 8), empty: f32([0, 3], 8, 8), b: f32([1], 8, 12) }, 12),
  'valid.out-of-order': file({ second: f32([1], 8, 12), first: f32([2], 0, 8) }, 12),
  'valid.padded': file(`${JSON.stringify({ a: f32([1], 0, 4) })}     `, 4),
  'valid.special-names': file(
    '{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"12":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"\\"}:":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}',
    3,
  ),

  'file-too-short.empty': new Uint8Array(0),
  'file-too-short.seven-bytes': new Uint8Array(7),
  'header-too-long.by-one': file({}, 0, 100_000_001),
  'header-too-long.all-ones': file({}, 0, 0xffffffffffffffffn),
  'header-past-end': file({}, 0, 3),
  'header-not-utf8': file(Uint8Array.from([...utf8.encode('{"'), 0xc3, 0x28, ...utf8.encode('":1}')])),
  'header-not-json.no-header': file(''),
  'header-not-json.cut-off': file('{"a":'),
  'header-not-json.trailing-comma': file('{"a":1,}'),
  'header-not-json.bytes-after': file('{}{}'),
  'header-not-json.byte-order-mark': file('\ufeff{}'),
  'header-not-json.deep': file('['.repeat(100_000)),
  'header-not-object.array': file('[]'),
  'header-not-object.null': file('null'),
  'duplicate-key.tensor': file(
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    1,
  ),
  'duplicate-key.escaped': file(
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
    1,
  ),
  'duplicate-key.inside-tensor': file('{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', 1),
  'duplicate-key.metadata': file('{"__metadata__":{"k":"1","k":"2"}}'),
  'bad-metadata.number': file({ __metadata__: { k: 1 } }),
  'bad-metadata.array': file({ __metadata__: [] }),
  'bad-entry.array': file({ a: [] }),
  'bad-entry.no-shape': file({ a: { dtype: 'U8', data_offsets: [0, 1] } }, 1),
  'bad-entry.no-offsets': file({ a: { dtype: 'U8', shape: [1] } }, 1),
  'bad-entry.dtype-is-number': file({ a: { dtype: 8, shape: [1], data_offsets: [0, 1] } }, 1),
  'unknown-dtype': file({ a: { dtype: 'F31', shape: [1], data_offsets: [0, 4] } }, 4),
  'unknown-dtype.inherited-name': file({ a: { dtype: 'constructor', shape: [1], data_offsets: [0, 4] } }, 4),
  'unsupported-dtype.f8-e8m0': file({ a: { dtype: 'F8_E8M0', shape: [1], data_offsets: [0, 1] } }, 1),
  'unsupported-dtype.f4': file({ a: { dtype: 'F4', shape: [2], data_offsets: [0, 1] } }, 1),
  'bad-shape.negative': file({ a: f32([-1], 0, 4) }, 4),
  'bad-shape.fraction': file({ a: f32([0.5, 2], 0, 4) }, 4),
  'bad-shape.string': file({ a: f32(['1'], 0, 4) }, 4),
  'bad-shape.number': file({ a: f32(1, 0, 4) }, 4),
  'shape-overflow.product': file({ a: f32([2 ** 31, 2 ** 31], 0, 4) }, 4),
  'shape-overflow.wraps-to-zero': file({ a: f32([2 ** 32, 2 ** 32], 0, 0) }),
  'shape-overflow.behind-zero': file({ a: f32([2 ** 52, 2 ** 52, 0], 0, 0) }),
  'bad-offsets.reversed': file({ a: f32([1], 4, 0) }, 4),
  'bad-offsets.negative': file({ a: f32([1], -4, 0) }, 4),
  'bad-offsets.fraction': file({ a: f32([1], 0.5, 4.5) }, 5),
  'bad-offsets.three': file({ a: f32([1], 0, 4, 8) }, 8),
  'bad-offsets.string': file({ a: { dtype: 'U8', shape: [1], data_offsets: '01' } }, 1),
  'offsets-out-of-range.truncated': file({ a: f32([4], 0, 16) }, 12),
  'offsets-out-of-range.far': file(
    '{"a":{"dtype":"U8","shape":[1],"data_offsets":[9007199254740991,9007199254740992]}}',
    1,
  ),
  'size-mismatch.too-few': file({ a: f32([2], 0, 4) }, 4),
  'size-mismatch.too-many': file({ a: f32([1], 0, 8) }, 8),
  'size-mismatch.scalar': file({ a: f32([], 0, 0) }),
  'overlap.partial': file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12),
  'overlap.same': file({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4),
  'hole.at-start': file({ a: f32([1], 4, 8) }, 8),
  'hole.between': file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12),
  'hole.at-end': file({ a: f32([1], 0, 4) }, 5),
}

for (const [name, bytes] of Object.entries(files)) {
  writeFileSync(new URL(`${name}.safetensors`, import.meta.url), bytes)
}
