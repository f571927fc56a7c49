import { dtypeBytes } from '@mk/safetensors'
import type { StridedSource } from '../tensor-source.ts'
import { type Box, boxesOf } from './boxes.ts'
import type { ReadContext } from './read-context.ts'
import { scratchBlockBytes } from './scratch.ts'

/** A dimension of a box: how far one index is from the next, in the storage and in the output. */
interface Axis {
  readonly size: number
  readonly stride: number
  readonly outputStride: number
}

/** To read so many bytes for nothing costs less than another call to the system. */
const worthwhileGapBytes = 1 << 10

/** Walks the storage in its own order, window by window, whatever the order of the dimensions. */
export function readStrided(
  context: ReadContext,
  source: StridedSource,
  start: number,
  count: number,
  into: Uint8Array,
): void {
  const dimensions = mergeDimensions(source.shape, source.strides)
  const shape = dimensions.map(({ size }) => size)
  const strides = dimensions.map(({ stride }) => stride)
  for (const box of boxesOf(shape, start, start + count)) {
    const first = box.start.reduce((element, at, dimension) => element + at * strides[dimension]!, source.elementOffset)
    readBox(context, source, axesOf(box, strides), first, box.first - start, into)
  }
}

/** Leaves out dimensions of size 1 and joins those that lie together in the storage. */
function mergeDimensions(shape: readonly number[], strides: readonly number[]): Pick<Axis, 'size' | 'stride'>[] {
  const merged: Pick<Axis, 'size' | 'stride'>[] = []
  shape.forEach((size, dimension) => {
    const stride = strides[dimension]!
    const last = merged.at(-1)
    if (size === 1) return
    if (last?.stride === size * stride) merged[merged.length - 1] = { size: last.size * size, stride }
    else merged.push({ size, stride })
  })
  return merged.length > 0 ? merged : [{ size: 1, stride: 0 }]
}

/** From the longest stride in the storage to the shortest. */
function axesOf(box: Box, strides: readonly number[]): Axis[] {
  let outputStride = 1
  const axes: Axis[] = []
  for (let dimension = strides.length - 1; dimension >= 0; dimension--) {
    const size = box.size[dimension]!
    if (size > 1) axes.push({ size, stride: strides[dimension]!, outputStride })
    outputStride *= size
  }
  return axes.sort((a, b) => b.stride - a.stride)
}

function readBox(
  { files, scratch }: ReadContext,
  source: StridedSource,
  axes: readonly Axis[],
  first: number,
  outputFirst: number,
  into: Uint8Array,
): void {
  const elementBytes = dtypeBytes(source.dtype)
  const capacity = scratchBlockBytes / elementBytes
  // By depth: the elements from the first to the last of the axes from there on, and whether hardly any gap lies between.
  const spans = [1]
  const dense = [true]
  for (const { size, stride } of axes.toReversed()) {
    dense.unshift(dense[0]! && (stride - spans[0]!) * elementBytes <= worthwhileGapBytes)
    spans.unshift(spans[0]! + (size - 1) * stride)
  }
  const readAt = (element: number, bytes: Uint8Array) =>
    files.read(source.file, source.byteStart + element * elementBytes, bytes)

  const visit = (depth: number, element: number, output: number): void => {
    const axis = axes[depth]
    const isRun = axis === undefined || (depth === axes.length - 1 && axis.stride === 1 && axis.outputStride === 1)
    if (isRun) return readAt(element, into.subarray(output * elementBytes, (output + spans[depth]!) * elementBytes))
    const { size, stride, outputStride } = axis
    const fits = dense[depth] && spans[depth + 1]! <= capacity
    if (!fits) {
      for (let at = 0; at < size; at++) visit(depth + 1, element + at * stride, output + at * outputStride)
      return
    }
    const most = stride === 0 ? size : Math.floor((capacity - spans[depth + 1]!) / stride) + 1
    scratch.withBlock((block) => {
      for (let at = 0; at < size; at += most) {
        const part = Math.min(most, size - at)
        const window = block.subarray(0, ((part - 1) * stride + spans[depth + 1]!) * elementBytes)
        readAt(element + at * stride, window)
        scatter(
          window,
          0,
          into,
          output + at * outputStride,
          [{ ...axis, size: part }, ...axes.slice(depth + 1)],
          elementBytes,
        )
      }
    })
  }
  visit(0, first, outputFirst)
}

function scatter(
  window: Uint8Array,
  from: number,
  into: Uint8Array,
  to: number,
  axes: readonly Axis[],
  elementBytes: number,
): void {
  const [{ size, stride, outputStride }, ...inner] = axes as [Axis, ...Axis[]]
  if (inner.length > 0) {
    for (let at = 0; at < size; at++)
      scatter(window, from + at * stride, into, to + at * outputStride, inner, elementBytes)
    return
  }
  for (let byte = 0; byte < elementBytes; byte++) {
    let input = from * elementBytes + byte
    let output = to * elementBytes + byte
    for (let at = 0; at < size; at++) {
      into[output] = window[input]!
      input += stride * elementBytes
      output += outputStride * elementBytes
    }
  }
}
