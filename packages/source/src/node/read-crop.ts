import { dtypeBytes } from '@mk/safetensors'
import type { CropSource } from '../tensor-source.ts'
import { boxesOf } from './boxes.ts'
import type { ReadContext } from './read-context.ts'
import { scratchBlockBytes } from './scratch.ts'

export function readCrop(
  context: ReadContext,
  { source, shape }: CropSource,
  start: number,
  count: number,
  into: Uint8Array,
): void {
  const cropped = shape.findLastIndex((size, dimension) => size !== source.shape[dimension])
  if (cropped <= 0) return context.read(source, start, count, into)

  // Seen as lines: of `fullLine` elements in the source, the first `line` are taken.
  const product = (sizes: readonly number[]) => sizes.reduce((total, size) => total * size, 1)
  const line = product(shape.slice(cropped))
  const fullLine = product(source.shape.slice(cropped))
  const elementBytes = dtypeBytes(source.dtype)
  const fullStrides = shape.slice(0, cropped).map((_, dimension) => product(source.shape.slice(dimension + 1)))
  const positionOf = (index: readonly number[]) =>
    fullStrides.reduce((flat, stride, dimension) => flat + index[dimension]! * stride, index[cropped]!)

  for (const box of boxesOf([...shape.slice(0, cropped), line], start, start + count)) {
    const width = box.size[cropped]!
    const lines = product(box.size.slice(0, cropped))
    const together = Math.max(
      1,
      Math.min(box.size[cropped - 1]!, Math.floor(scratchBlockBytes / elementBytes / fullLine)),
    )
    const index = [...box.start]
    for (let done = 0; done < lines;) {
      const inRun = box.start[cropped - 1]! + box.size[cropped - 1]! - index[cropped - 1]!
      const taken = Math.min(together, inRun)
      const output = into.subarray(
        (box.first - start + done * width) * elementBytes,
        (box.first - start + (done + taken) * width) * elementBytes,
      )
      readLines(context, source, positionOf(index), taken, width, fullLine, output)
      done += taken
      advance(index, box, cropped - 1, taken)
    }
  }
}

function readLines(
  context: ReadContext,
  source: CropSource['source'],
  first: number,
  lines: number,
  width: number,
  fullLine: number,
  into: Uint8Array,
): void {
  if (lines === 1) return context.read(source, first, width, into)
  const elementBytes = dtypeBytes(source.dtype)
  context.scratch.withBlock((block) => {
    const elements = (lines - 1) * fullLine + width
    const full = block.subarray(0, elements * elementBytes)
    context.read(source, first, elements, full)
    for (let at = 0; at < lines; at++)
      into.set(
        full.subarray(at * fullLine * elementBytes, (at * fullLine + width) * elementBytes),
        at * width * elementBytes,
      )
  })
}

/** Moves an index on along `dimension`, carrying into those before it. */
function advance(
  index: number[],
  { start, size }: { readonly start: readonly number[]; readonly size: readonly number[] },
  dimension: number,
  by: number,
): void {
  index[dimension]! += by
  for (let at = dimension; at > 0 && index[at]! >= start[at]! + size[at]!; at--) {
    index[at] = start[at]!
    index[at - 1]! += 1
  }
}
