import { decode } from '@mk/tensor'
import type { CodeValues, PackedSource, SmallFloat } from '../../tensor-source.ts'
import type { ElementReader } from '../elements/element-reader.ts'

/** Finds what codes stand for, by code: a table of 2^bits numbers. */
export type CodeTables = (source: PackedSource) => Float32Array

const e2m1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6]

/** Creates what finds tables; those that are not stored are made once. */
export function createCodeTables({ readFloats }: ElementReader): CodeTables {
  const made = new Map<string, Float32Array>()
  return ({ bits, values }) => {
    const size = 2 ** bits
    if (values.kind === 'stored') {
      const table = new Float32Array(size)
      readFloats(values.table, 0, table)
      return table
    }
    const key = values.kind === 'integers' ? `${bits}/${values.offset}` : values.format
    let table = made.get(key)
    if (table === undefined) made.set(key, (table = makeTable(size, values)))
    return table
  }
}

function makeTable(size: number, values: Exclude<CodeValues, { readonly kind: 'stored' }>): Float32Array {
  if (values.kind === 'integers') return Float32Array.from({ length: size }, (_, code) => code + values.offset)
  return smallFloats(values.format)
}

function smallFloats(format: SmallFloat): Float32Array {
  switch (format) {
    case 'e2m1':
      return Float32Array.from([...e2m1, ...e2m1.map((value) => -value)])
    case 'e4m3': {
      const table = new Float32Array(256)
      decode(
        'F8_E4M3',
        Uint8Array.from({ length: 256 }, (_, code) => code),
        0,
        table,
      )
      return table
    }
    case 'e8m0':
      return Float32Array.from({ length: 256 }, (_, exponent) => (exponent === 255 ? NaN : 2 ** (exponent - 127)))
    default:
      return format satisfies never
  }
}
