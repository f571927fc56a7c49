import { dtypeBytes, elementCount as countElements } from '@mk/safetensors'
import type { ElementRange } from '@mk/tensor/runtime'
import type { MergedSource, TensorSource } from '../tensor-source.ts'
import type { OpenFiles } from './open-files.ts'
import { createElementReader, type ReadElements } from './elements/element-reader.ts'
import { createGatherReader } from './gather/read-gather.ts'
import { createLoraReader } from './lora/read-lora.ts'
import { createBlocksReader } from './quantized/read-blocks.ts'
import { createCodeTables } from './quantized/code-table.ts'
import { createDequantizedReader } from './quantized/read-dequantized.ts'
import { createPackedReader } from './quantized/read-packed.ts'
import { createHalvesReader } from './views/read-halves.ts'
import { createCropReader } from './views/read-crop.ts'
import { createStridedReader } from './views/read-strided.ts'
import { createValuesReader } from './views/read-values.ts'

/** Reads the elements of sources; one per thread. */
export interface SourceReader {
  /**
   * Fills `into` with elements `elementStart` … `elementStart + elementCount` of the source, row-major and little-endian.
   * Memory beside `into` is bounded, whatever the source.
   * @param into exactly `elementCount` elements of the source's dtype, at any alignment; it stays the caller's.
   * @throws SourceError unreadable-file, file-ended, group-out-of-range
   */
  read(source: TensorSource, elementStart: number, elementCount: number, into: Uint8Array): void
  /**
   * Fills `into` with the elements of several ranges, one after the other, as `read` does with those of one.
   * @param elementOffset what the ranges are counted from
   * @throws SourceError unreadable-file, file-ended, group-out-of-range
   */
  readRanges(source: TensorSource, elementOffset: number, ranges: readonly ElementRange[], into: Uint8Array): void
  /** Closes the files it has opened. */
  close(): void
}

/** What a reader is given beside files. */
export interface SourceReaderOptions {
  /** Computes elements of tensors of other merges, at once. Absent: there are none. */
  readonly readMerged?: ReadElements<MergedSource>
}

/**
 * Creates a reader of sources whose files lie wherever `files` reads them from; `createSourceReader` of `@mk/source/node` is the one
 * for files of Node's.
 */
export function createReaderOver(
  files: OpenFiles,
  { readMerged = refuseMerged }: SourceReaderOptions = {},
): SourceReader {
  const elements = createElementReader(read)
  const readStrided = createStridedReader(files, elements.scratch)
  const readCrop = createCropReader(elements)
  const readGather = createGatherReader(elements)
  const readLora = createLoraReader(elements)
  const readBlocks = createBlocksReader(files, elements.scratch)
  const readHalves = createHalvesReader(elements)
  const tableOf = createCodeTables(elements)
  const readPacked = createPackedReader(elements, tableOf)
  const readDequantized = createDequantizedReader(elements, tableOf)
  const readValues = createValuesReader()

  function read(source: TensorSource, start: number, count: number, into: Uint8Array): void {
    checkRange(source, start, count, into)
    if (count === 0) return
    switch (source.kind) {
      case 'file':
        return files.read(source.file, source.byteStart + start * dtypeBytes(source.dtype), into)
      case 'strided':
        return readStrided(source, start, count, into)
      case 'crop':
        return readCrop(source, start, count, into)
      case 'gather':
        return readGather(source, start, count, into)
      case 'lora':
        return readLora(source, start, count, into)
      case 'blocks':
        return readBlocks(source, start, count, into)
      case 'halves':
        return readHalves(source, start, count, into)
      case 'packed':
        return readPacked(source, start, count, into)
      case 'dequantized':
        return readDequantized(source, start, count, into)
      case 'merged':
        return readMerged(source, start, count, into)
      case 'values':
        return readValues(source, start, count, into)
      default:
        return source satisfies never
    }
  }

  function readRanges(
    source: TensorSource,
    elementOffset: number,
    ranges: readonly ElementRange[],
    into: Uint8Array,
  ): void {
    const total = countElements(source.shape)
    let count = 0
    for (let index = 0; index < ranges.length; index++) {
      const { start, end } = ranges[index]!
      if (elementOffset + start < 0 || start > end || elementOffset + end > total)
        throw outside(source, elementOffset + start, end - start)
      count += end - start
    }
    checkLength(source, count, into)
    const elementBytes = dtypeBytes(source.dtype)
    if (source.kind === 'file' && files.readRanges !== undefined)
      return files.readRanges(source.file, source.byteStart + elementOffset * elementBytes, elementBytes, ranges, into)
    let position = 0
    for (const { start, end } of ranges) {
      const part = into.subarray(position, (position += (end - start) * elementBytes))
      read(source, elementOffset + start, end - start, part)
    }
  }

  return { read, readRanges, close: () => files.close() }
}

function refuseMerged({ stage, tensor }: MergedSource): never {
  throw new TypeError(`nothing computes ${tensor} of ${stage} here`)
}

function checkRange(source: TensorSource, start: number, count: number, into: Uint8Array): void {
  if (start < 0 || count < 0 || start + count > countElements(source.shape)) throw outside(source, start, count)
  checkLength(source, count, into)
}

const outside = ({ shape }: TensorSource, start: number, count: number): RangeError =>
  new RangeError(`elements ${start} to ${start + count} of a tensor of shape [${shape.join(', ')}]`)

function checkLength({ dtype }: TensorSource, count: number, into: Uint8Array): void {
  const byteCount = count * dtypeBytes(dtype)
  if (into.length !== byteCount)
    throw new RangeError(`${count} elements of ${dtype} take ${byteCount} bytes, the buffer has ${into.length}`)
}
