import { dtypeBytes, elementCount } from '@mk/safetensors'
import type { PackedSource } from '../../tensor-source.ts'
import type { ElementReader, ReadElements } from '../elements/element-reader.ts'
import { fillFloats } from '../elements/float-view.ts'
import { createCodeTables } from './code-table.ts'
import { unpackCodes } from './unpack.ts'

/** Creates the reader of packed codes. */
export function createPackedReader(elements: ElementReader): ReadElements<PackedSource> {
  const { read, scratch } = elements
  const tableOf = createCodeTables(elements)

  /** Reads elements whose codes lie side by side in rows of words; at most as many as a step has. */
  function readAlongColumns(source: PackedSource, table: Float32Array, start: number, values: Float32Array): void {
    const { words, bits, places, shape } = source
    const wordBytes = dtypeBytes(words.dtype)
    // Counted in codes where they have places, else in bits.
    const [wordSize, codeSize] = places === undefined ? [wordBytes * 8, bits] : [places.length, 1]
    const rowWords = words.shape.at(-1) ?? 1
    const ownColumns = shape.at(-1) ?? 1
    // Rows that fill their words follow each other like one.
    const columns = rowWords * wordSize === ownColumns * codeSize ? elementCount(shape) : ownColumns
    scratch.withBlock((block) => {
      for (let done = 0; done < values.length;) {
        const row = Math.floor((start + done) / columns)
        const column = (start + done) % columns
        const count = Math.min(values.length - done, columns - column)
        const firstWord = Math.floor((column * codeSize) / wordSize)
        const wordCount = Math.ceil(((column + count) * codeSize) / wordSize) - firstWord
        read(words, row * rowWords + firstWord, wordCount, block.subarray(0, wordCount * wordBytes))
        const first = column * codeSize - firstWord * wordSize
        const run = { bytes: block, wordBytes, bits, places, first }
        unpackCodes(run, table, values.subarray(done, done + count))
        done += count
      }
    })
  }

  /** Reads elements whose codes lie above each other in rows of words. */
  function readAlongRows(source: PackedSource, table: Float32Array, start: number, values: Float32Array): void {
    const { words, bits, places, shape } = source
    const columns = shape.at(-1) ?? 1
    const wordBytes = dtypeBytes(words.dtype)
    const wordBits = wordBytes * 8
    scratch.withBlock((block) => {
      const ofWords = wordBytes === 1 ? block : new Uint32Array(block.buffer as ArrayBuffer, block.byteOffset)
      const mask = (1 << bits) - 1
      for (let done = 0; done < values.length;) {
        const row = Math.floor((start + done) / columns)
        const column = (start + done) % columns
        const count = Math.min(values.length - done, columns - column)
        const bit = places === undefined ? (row * bits) % wordBits : places[row % places.length]! * bits
        const wordRow = Math.floor(places === undefined ? (row * bits) / wordBits : row / places.length)
        const into = values.subarray(done, done + count)
        const readRow = (at: number) => read(words, at * columns + column, count, block.subarray(0, count * wordBytes))
        readRow(wordRow)
        const inFirst = wordBits - bit
        if (inFirst >= bits) lookUp(ofWords, bit, mask, table, into)
        else {
          keepLow(ofWords, bit, into)
          readRow(wordRow + 1)
          lookUpRest(ofWords, inFirst, mask, table, into)
        }
        done += count
      }
    })
  }

  return (source, start, _count, into) => {
    const table = tableOf(source)
    const readValues = source.along === 'columns' ? readAlongColumns : readAlongRows
    fillFloats({ dtype: source.dtype, into, scratch }, (from, values) =>
      readValues(source, table, start + from, values),
    )
  }
}

type Words = Uint8Array | Uint32Array

function lookUp(words: Words, shift: number, mask: number, table: Float32Array, into: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = table[(words[i]! >>> shift) & mask]!
}

/** Takes the low bits of codes whose others are in the next words, as numbers. */
function keepLow(words: Words, shift: number, into: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = words[i]! >>> shift
}

function lookUpRest(words: Words, shift: number, mask: number, table: Float32Array, into: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = table[(into[i]! | (words[i]! << shift)) & mask]!
}
