import type { ByteCursor } from './byte-cursor.ts'
import { GgufError } from './errors.ts'
import { limits } from './limits.ts'
import { type GgufArray, type GgufValue, ggufValueTypes } from './metadata.ts'
import { numberArrays } from './number-arrays.ts'

type ValueType = (typeof ggufValueTypes)[number]

/** Elements that a header may still have in its arrays. */
interface Budget {
  elements: number
  innerArrays: number
}

/** Reads the type and the value of a key. @throws GgufError 'gguf-value-type', 'gguf-bool', 'gguf-nesting', 'gguf-count', 'gguf-truncated' */
export function readValue(cursor: ByteCursor, key: string, budget: Budget): GgufValue {
  const type = readType(cursor, key)
  switch (type) {
    case 'array':
      return readArray(cursor, key, budget, 1)
    case 'string':
      return { type, value: readString(cursor) }
    case 'bool':
      return { type, value: readBools(cursor, key, 1)[0]! }
    case 'uint64':
    case 'int64':
      return { type, value: new numberArrays[type](cursor.slice(8, 'a value'))[0]! }
    case 'uint8':
    case 'int8':
    case 'uint16':
    case 'int16':
    case 'uint32':
    case 'int32':
    case 'float32':
    case 'float64':
      return { type, value: new numberArrays[type](cursor.slice(numberArrays[type].BYTES_PER_ELEMENT, 'a value'))[0]! }
    default:
      return type satisfies never
  }
}

function readType(cursor: ByteCursor, key: string): ValueType {
  const id = cursor.uint32('the type of a value')
  const type = ggufValueTypes[id]
  if (type === undefined) throw new GgufError({ code: 'gguf-value-type', key, id }, cursor.file)
  return type
}

function readArray(cursor: ByteCursor, key: string, budget: Budget, depth: number): GgufArray {
  if (depth > limits.depth) throw new GgufError({ code: 'gguf-nesting', key, limit: limits.depth }, cursor.file)
  const type = 'array'
  const elementType = readType(cursor, key)
  const kind = elementType === 'array' ? 'innerArrays' : 'elements'
  const count = cursor.count(`elements in the array '${key}'`, budget[kind], leastBytes(elementType))
  budget[kind] -= count
  switch (elementType) {
    case 'array':
      return {
        type,
        elementType,
        values: Array.from({ length: count }, () => readArray(cursor, key, budget, depth + 1)),
      }
    case 'string':
      return { type, elementType, values: Array.from({ length: count }, () => readString(cursor)) }
    case 'bool':
      return { type, elementType, values: readBools(cursor, key, count) }
    case 'uint64':
    case 'int64':
      return { type, elementType, values: new numberArrays[elementType](cursor.slice(count * 8, 'an array')) }
    case 'uint8':
    case 'int8':
    case 'uint16':
    case 'int16':
    case 'uint32':
    case 'int32':
    case 'float32':
    case 'float64': {
      const bytes = count * numberArrays[elementType].BYTES_PER_ELEMENT
      return { type, elementType, values: new numberArrays[elementType](cursor.slice(bytes, 'an array')) }
    }
    default:
      return elementType satisfies never
  }
}

const readString = (cursor: ByteCursor): string => cursor.text('a string', limits.stringBytes, 'escape')

function readBools(cursor: ByteCursor, key: string, count: number): boolean[] {
  return Array.from(new Uint8Array(cursor.slice(count, 'a bool')), (found) => {
    if (found > 1) throw new GgufError({ code: 'gguf-bool', key, found }, cursor.file)
    return found === 1
  })
}

/** An array has a type and a length, a string a length. */
function leastBytes(type: ValueType): number {
  if (type === 'array') return 12
  if (type === 'string') return 8
  return type === 'bool' ? 1 : numberArrays[type].BYTES_PER_ELEMENT
}
