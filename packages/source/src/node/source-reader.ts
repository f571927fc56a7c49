import { dtypeBytes, elementCount as countElements } from '@mk/safetensors'
import type { FileSource, TensorSource } from '../tensor-source.ts'
import { createGatherRows } from './gather-rows.ts'
import { createLoraFactors } from './lora-factors.ts'
import { createOpenFiles } from './open-files.ts'
import type { ReadContext } from './read-context.ts'
import { readCrop } from './read-crop.ts'
import { readDequantized } from './read-dequantized.ts'
import { readGather } from './read-gather.ts'
import { readLora } from './read-lora.ts'
import { readStrided } from './read-strided.ts'
import { createScratch } from './scratch.ts'

/** Reads the elements of sources; one per thread. */
export interface SourceReader {
  /**
   * Fills `into` with elements `elementStart` … `elementStart + elementCount` of the source, row-major and little-endian.
   * Memory beside `into` is bounded, whatever the source.
   * @param into exactly `elementCount` elements of the source's dtype, at any alignment; it stays the caller's.
   * @throws SourceError unreadable-file, file-ended
   */
  read(source: TensorSource, elementStart: number, elementCount: number, into: Uint8Array): void
  /** Closes the files it has opened. */
  close(): void
}

export function createSourceReader(): SourceReader {
  const context: ReadContext = {
    files: createOpenFiles(),
    scratch: createScratch(),
    gatherRows: createGatherRows(),
    loraFactors: createLoraFactors(),
    read: (source, elementStart, elementCount, into) => readSource(context, source, elementStart, elementCount, into),
  }
  return { read: context.read, close: () => context.files.close() }
}

function readSource(context: ReadContext, source: TensorSource, start: number, count: number, into: Uint8Array): void {
  if (start < 0 || count < 0 || start + count > countElements(source.shape)) {
    throw new RangeError(`elements ${start} to ${start + count} of a tensor of shape [${source.shape.join(', ')}]`)
  }
  if (into.length !== count * dtypeBytes(source.dtype)) {
    throw new RangeError(
      `${count} elements of ${source.dtype} take ${count * dtypeBytes(source.dtype)} bytes, the buffer has ${into.length}`,
    )
  }
  if (count === 0) return
  switch (source.kind) {
    case 'file':
      return readFile(context, source, start, into)
    case 'strided':
      return readStrided(context, source, start, count, into)
    case 'crop':
      return readCrop(context, source, start, count, into)
    case 'gather':
      return readGather(context, source, start, count, into)
    case 'lora':
      return readLora(context, source, start, count, into)
    case 'dequantized':
      return readDequantized(context, source, start, count, into)
    default:
      return source satisfies never
  }
}

const readFile = (
  { files }: ReadContext,
  { file, byteStart, dtype }: FileSource,
  start: number,
  into: Uint8Array,
): void => files.read(file, byteStart + start * dtypeBytes(dtype), into)
