import { quoted } from '@mk/errors'
import { GgufError } from './errors.ts'
import type { HeaderBytes } from './header-bytes.ts'
import { limits } from './limits.ts'
import { type GgufArray, type GgufBigintType, type GgufNumberType, type GgufValue, ggufValueTypes } from './metadata.ts'
import { numberArrays } from './number-arrays.ts'

/** Elements that a header may still have in its arrays. */
interface Budget {
  elements: number
  innerArrays: number
}

/** Writes the type and the value of a key. @throws GgufError 'gguf-value', 'gguf-nesting', 'gguf-count', 'gguf-header-too-long' */
export function writeValue(bytes: HeaderBytes, key: string, value: GgufValue, budget: Budget): void {
  bytes.uint32(ggufValueTypes.indexOf(value.type))
  switch (value.type) {
    case 'array':
      return writeArray(bytes, key, value, { budget, depth: 1 })
    case 'string':
      return writeStrings(bytes, [value.value])
    case 'bool':
      return bytes.raw(Uint8Array.of(Number(value.value)))
    case 'uint64':
    case 'int64':
      return bytes.raw(bigintBytes(key, value.type, [value.value]))
    case 'uint8':
    case 'int8':
    case 'uint16':
    case 'int16':
    case 'uint32':
    case 'int32':
    case 'float32':
    case 'float64':
      return bytes.raw(numberBytes(key, value.type, [value.value]))
    default:
      value satisfies never
  }
}

function writeArray(
  bytes: HeaderBytes,
  key: string,
  array: GgufArray,
  { budget, depth }: { readonly budget: Budget; readonly depth: number },
): void {
  if (depth > limits.depth) throw new GgufError({ code: 'gguf-nesting', key, limit: limits.depth })
  const { length } = array.values
  const kind = array.elementType === 'array' ? 'innerArrays' : 'elements'
  if (length > budget[kind])
    throw new GgufError({
      code: 'gguf-count',
      what: `elements in the array '${key}'`,
      count: String(length),
      most: budget[kind],
      why: 'limit',
    })
  budget[kind] -= length
  bytes.uint32(ggufValueTypes.indexOf(array.elementType))
  bytes.uint64(length)
  switch (array.elementType) {
    case 'array':
      for (const inner of array.values) writeArray(bytes, key, inner, { budget, depth: depth + 1 })
      return
    case 'string':
      return writeStrings(bytes, array.values)
    case 'bool':
      return bytes.raw(Uint8Array.from(array.values, Number))
    case 'uint64':
    case 'int64':
      return bytes.raw(bigintBytes(key, array.elementType, array.values))
    case 'uint8':
    case 'int8':
    case 'uint16':
    case 'int16':
    case 'uint32':
    case 'int32':
    case 'float32':
    case 'float64':
      return bytes.raw(numberBytes(key, array.elementType, array.values))
    default:
      array satisfies never
  }
}

function writeStrings(bytes: HeaderBytes, texts: readonly string[]): void {
  for (const text of texts) bytes.text(text, { what: 'a string', most: limits.stringBytes })
}

function numberBytes(key: string, type: GgufNumberType, values: ArrayLike<number>): Uint8Array {
  const stored = numberArrays[type].from(values)
  if (!type.startsWith('float')) {
    for (let index = 0; index < stored.length; index++)
      if (stored[index] !== values[index]) failValue(key, type, values[index])
  }
  return new Uint8Array(stored.buffer)
}

function bigintBytes(key: string, type: GgufBigintType, values: ArrayLike<bigint>): Uint8Array {
  const stored = numberArrays[type].from(values as ArrayLike<bigint> & Iterable<bigint>)
  for (let index = 0; index < stored.length; index++)
    if (stored[index] !== values[index]) failValue(key, type, values[index])
  return new Uint8Array(stored.buffer)
}

function failValue(key: string, type: string, found: unknown): never {
  throw new GgufError({
    code: 'gguf-value',
    key,
    type,
    found: typeof found === 'bigint' ? String(found) : quoted(found),
  })
}
