import { dtypeBytes, elementCount } from '@mk/safetensors'
import type { PackedSource } from '../../tensor-source.ts'
import type { ElementReader, ReadElements } from '../elements/element-reader.ts'
import { fillFloats } from '../elements/float-view.ts'
import type { CodeTables } from './code-table.ts'
import { type CodeRun, unpackCodes } from './unpack.ts'

/**
 * Reads codes that lie side by side in rows of words, run by run; at most as many as a step has.
 * @param use is lent a run, of elements from `run.from` to `end`
 */
export function forEachRun(
  { read, scratch }: ElementReader,
  { words, bits, places, shape }: PackedSource,
  start: number,
  elements: number,
  use: (run: CodeRun, end: number) => void,
): void {
  const wordBytes = dtypeBytes(words.dtype)
  // Counted in codes where they have places, else in bits.
  const [wordSize, codeSize] = places === undefined ? [wordBytes * 8, bits] : [places.length, 1]
  const rowWords = words.shape.at(-1) ?? 1
  const ownColumns = shape.at(-1) ?? 1
  // Rows that fill their words follow each other like one.
  const columns = rowWords * wordSize === ownColumns * codeSize ? elementCount(shape) : ownColumns
  scratch.withBlock((bytes) => {
    for (let from = 0; from < elements;) {
      const row = Math.floor((start + from) / columns)
      const column = (start + from) % columns
      const count = Math.min(elements - from, columns - column)
      const firstWord = Math.floor((column * codeSize) / wordSize)
      const wordCount = Math.ceil(((column + count) * codeSize) / wordSize) - firstWord
      read(words, row * rowWords + firstWord, wordCount, bytes.subarray(0, wordCount * wordBytes))
      const first = column * codeSize - firstWord * wordSize
      use({ bytes, wordBytes, bits, places, first, from }, from + count)
      from += count
    }
  })
}

/** Creates the reader of packed codes. */
export function createPackedReader(elements: ElementReader, tableOf: CodeTables): ReadElements<PackedSource> {
  const { read, scratch } = elements

  function readAlongColumns(source: PackedSource, table: Float32Array, start: number, values: Float32Array): void {
    forEachRun(elements, source, start, values.length, (run, end) =>
      unpackCodes(run, { table, into: values, from: run.from, end }),
    )
  }

  /** Reads elements whose codes lie above each other in rows of words. */
  function readAlongRows(source: PackedSource, table: Float32Array, start: number, values: Float32Array): void {
    const { words, bits, places, shape } = source
    const columns = shape.at(-1)!
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
