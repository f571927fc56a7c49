import { dtypeBytes } from '@mk/safetensors'
import type { CropSource, TensorSource } from '../../tensor-source.ts'
import type { ElementReader, ReadElements } from '../elements/element-reader.ts'
import { scratchBlockBytes } from '../elements/scratch.ts'
import { type Box, boxesOf } from './boxes.ts'

/** A source as lines of `lineElements`, the first `width` of which are taken. */
interface Lines {
  readonly source: TensorSource
  readonly elementBytes: number
  readonly lineElements: number
  readonly width: number
}

/** Creates the reader of sub-matrices. Lines that lie close are read together, with what lies between. */
export function createCropReader({ read, scratch }: ElementReader): ReadElements<CropSource> {
  /** Reads `count` lines, the first of which begins at element `first` of the source. */
  function readLines(lines: Lines, first: number, count: number, into: Uint8Array): void {
    const { source, elementBytes, lineElements, width } = lines
    if (count === 1) return read(source, first, width, into)
    scratch.withBlock((block) => {
      const elements = (count - 1) * lineElements + width
      const full = block.subarray(0, elements * elementBytes)
      read(source, first, elements, full)
      for (let at = 0; at < count; at++) {
        const start = at * lineElements * elementBytes
        into.set(full.subarray(start, start + width * elementBytes), at * width * elementBytes)
      }
    })
  }

  return ({ source, shape }, start, count, into) => {
    const cropped = shape.findLastIndex((size, dimension) => size !== source.shape[dimension])
    if (cropped <= 0) return read(source, start, count, into)

    const lineElements = product(source.shape.slice(cropped))
    const elementBytes = dtypeBytes(source.dtype)
    const fitting = Math.floor(scratchBlockBytes / elementBytes / lineElements)
    const strides = shape.slice(0, cropped).map((_, dimension) => product(source.shape.slice(dimension + 1)))
    const positionOf = (index: readonly number[]) =>
      strides.reduce((flat, stride, dimension) => flat + index[dimension]! * stride, index[cropped]!)

    for (const box of boxesOf([...shape.slice(0, cropped), product(shape.slice(cropped))], start, start + count)) {
      const width = box.size[cropped]!
      const lines: Lines = { source, elementBytes, lineElements, width }
      const lineCount = product(box.size.slice(0, cropped))
      const together = Math.max(1, Math.min(box.size[cropped - 1]!, fitting))
      const index = [...box.start]
      for (let done = 0; done < lineCount;) {
        const inRun = box.start[cropped - 1]! + box.size[cropped - 1]! - index[cropped - 1]!
        const taken = Math.min(together, inRun)
        const from = (box.first - start + done * width) * elementBytes
        readLines(lines, positionOf(index), taken, into.subarray(from, from + taken * width * elementBytes))
        done += taken
        advance(index, box, cropped - 1, taken)
      }
    }
  }
}

const product = (sizes: readonly number[]) => sizes.reduce((total, size) => total * size, 1)

/** Moves an index on along `dimension`, carrying into those before it. */
function advance(index: number[], { start, size }: Box, dimension: number, by: number): void {
  index[dimension]! += by
  for (let at = dimension; at > 0 && index[at]! >= start[at]! + size[at]!; at--) {
    index[at] = start[at]!
    index[at - 1]! += 1
  }
}
