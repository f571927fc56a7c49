import { ConversionError } from '../errors.ts'
import { type ListedToken, tokenTypes } from './token-list.ts'

/** A sentencepiece model, as far as llama.cpp needs it. */
export interface SentencePieceModel {
  /** By id. */
  readonly pieces: ReadonlyMap<number, ListedToken>
  /** Whether text is tokenized as if a space stood before it. */
  readonly addDummyPrefix: boolean
}

/** sentencepiece's numbers of types → those of llama.cpp. */
const typesOfPieces: Readonly<Record<number, number>> = {
  1: tokenTypes.normal,
  2: tokenTypes.unknown,
  3: tokenTypes.control,
  4: tokenTypes.userDefined,
  5: tokenTypes.unused,
  6: tokenTypes.byte,
}

const maximumPieces = 2 ** 22

/**
 * Parses tokenizer.model, a protocol buffer: pieces (1: text, score, type) and the normalizer (3).
 * Source: https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.
 *
 * @throws ConversionError `gguf-tokenizer` where it is none.
 */
export function parseSentencePiece(bytes: Uint8Array): SentencePieceModel {
  const pieces = new Map<number, ListedToken>()
  let addDummyPrefix = true
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1 && value instanceof Uint8Array) {
      if (pieces.size === maximumPieces) fail(`has more than ${maximumPieces} pieces`)
      pieces.set(pieces.size, parsePiece(value))
    }
    if (field === 3 && value instanceof Uint8Array)
      for (const part of fieldsOf(value))
        if (part.field === 3 && typeof part.value === 'number') addDummyPrefix = part.value !== 0
  }
  if (pieces.size === 0) fail('has no pieces')
  return { pieces, addDummyPrefix }
}

function parsePiece(bytes: Uint8Array): ListedToken {
  let text = ''
  let score = 0
  let type: number = tokenTypes.normal
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === 1 && value instanceof Uint8Array) text = decode(value)
    if (field === 2 && value instanceof Uint8Array && value.length === 4)
      score = new DataView(value.buffer, value.byteOffset).getFloat32(0, true)
    if (field === 3 && typeof value === 'number')
      type = typesOfPieces[value] ?? fail(`has a piece of the unknown type ${value}`)
  }
  return { text, score, type }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return fail('has a piece that is not UTF-8')
  }
}

/** The fields of a message: numbers of varints, and the bytes of the other wire types. */
function* fieldsOf(bytes: Uint8Array): Generator<{ readonly field: number; readonly value: number | Uint8Array }> {
  let position = 0
  const take = (count: number): Uint8Array => {
    if (count > bytes.length - position) fail(`ends within a field at byte ${position}`)
    position += count
    return bytes.subarray(position - count, position)
  }
  const varint = (): number => {
    let value = 0
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const [byte] = take(1) as unknown as [number]
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    return fail(`has a number of more than 10 bytes at byte ${position}`)
  }
  while (position < bytes.length) {
    const tag = varint()
    const field = Math.floor(tag / 8)
    switch (tag % 8) {
      case 0:
        yield { field, value: varint() }
        break
      case 1:
        yield { field, value: take(8) }
        break
      case 2:
        yield { field, value: take(varint()) }
        break
      case 5:
        yield { field, value: take(4) }
        break
      default:
        fail(`has a field of the unknown wire type ${tag % 8} at byte ${position}`)
    }
  }
}

function fail(what: string): never {
  throw new ConversionError({
    code: 'gguf-tokenizer',
    file: 'tokenizer.model',
    what,
    expected: 'a sentencepiece model',
  })
}
