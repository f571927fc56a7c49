import { dequantize, ggmlTypes } from '@mk/gguf'
import type { BlocksSource } from '../../tensor-source.ts'
import type { ReadElements } from '../elements/element-reader.ts'
import { fillFloats } from '../elements/float-view.ts'
import type { OpenFiles } from '../open-files.ts'
import type { Scratch } from '../elements/scratch.ts'

/** Creates the reader of blocks of a GGUF file. */
export function createBlocksReader(files: OpenFiles, scratch: Scratch): ReadElements<BlocksSource> {
  function readBlocks({ file, byteStart, type }: BlocksSource, start: number, values: Float32Array): void {
    const { blockElements, blockBytes } = ggmlTypes[type]
    const firstBlock = Math.floor(start / blockElements)
    const blockCount = Math.ceil((start + values.length) / blockElements) - firstBlock
    const before = start - firstBlock * blockElements
    const elementCount = blockCount * blockElements
    scratch.withBlock((block) => {
      const bytes = block.subarray(0, blockCount * blockBytes)
      files.read(file, byteStart + firstBlock * blockBytes, bytes)
      if (elementCount === values.length) return dequantize(type, bytes, values)
      scratch.withFloats(elementCount, (whole) => {
        dequantize(type, bytes, whole)
        values.set(whole.subarray(before, before + values.length))
      })
    })
  }

  return (source, start, _count, into) =>
    fillFloats({ dtype: source.dtype, into, scratch }, (from, values) => readBlocks(source, start + from, values))
}
