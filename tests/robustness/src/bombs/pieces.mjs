import { headerBytes } from '../write-checkpoint.mjs'

/** An entry of a safetensors header as text, also where its parts are no numbers. */
export const entry = (dtype, shape, start, end) =>
  `{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${start},${end}]}`

/** A safetensors file. @param {string} json @param {number} [dataBytes] */
export const safetensors = (json, dataBytes = 0) => Buffer.concat([headerBytes(json), Buffer.alloc(dataBytes)])

/** @param {number} count @param {(index: number) => string} of @param {string} [separator] */
export const list = (count, of, separator = ',') =>
  Array.from({ length: count }, (_, index) => of(index)).join(separator)

/** Brackets in brackets. @param {number} depth */
export const nested = (depth, open = '[', close = ']', inner = '') => open.repeat(depth) + inner + close.repeat(depth)

/** The same bytes many times over. @param {string} text of latin1 @param {number} count */
export function repeated(text, count) {
  const piece = Buffer.from(text, 'latin1')
  return Buffer.alloc(piece.length * count, piece)
}

export const bytes = (text) => Buffer.from(text, 'latin1')

/** Two tiny layers. */
export const tinyModel = safetensors(
  `{"a.layers.0.w":${entry('F32', '2', 0, 8)},"a.layers.1.w":${entry('F32', '2', 8, 16)}}`,
  16,
)
