import { dtypeBytes } from '@mk/safetensors'
import type { StridedSource } from '../../tensor-source.ts'
import type { ReadElements } from '../elements/element-reader.ts'
import type { OpenFiles } from '../open-files.ts'
import { type Scratch, scratchBlockBytes } from '../elements/scratch.ts'
import { type Box, boxesOf } from './boxes.ts'
import { createStrips } from './strips.ts'

/** A dimension of a box: how far one index is from the next, in the storage and in the output. */
interface Axis {
  readonly size: number
  readonly stride: number
  readonly outputStride: number
}

/** To read so many bytes for nothing costs less than another call to the system: a disk reads whole pages anyway. */
const worthwhileGapBytes = 1 << 12

/** Creates the reader of views, which walks a storage in its own order, window by window, whatever the order of the dimensions. */
export function createStridedReader(files: OpenFiles, scratch: Scratch): ReadElements<StridedSource> {
  /** @param first element of the storage that the box begins with; it goes to element `outputFirst` of `into` */
  function readBox(
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
      const inner = axes.slice(depth + 1)
      scratch.withBlock((block) => {
        for (let at = 0; at < size; at += most) {
          const part = Math.min(most, size - at)
          const bytes = block.subarray(0, ((part - 1) * stride + spans[depth + 1]!) * elementBytes)
          readAt(element + at * stride, bytes)
          const window: StorageWindow = { bytes, axes: [{ ...axis, size: part }, ...inner], elementBytes, into }
          scatter(window, 0, 0, output + at * outputStride)
        }
      })
    }
    visit(0, first, outputFirst)
  }

  const strips = createStrips((source, start, count, into) => {
    const dimensions = mergeDimensions(source.shape, source.strides)
    const shape = dimensions.map(({ size }) => size)
    const strides = dimensions.map(({ stride }) => stride)
    for (const box of boxesOf(shape, start, start + count)) {
      const first = box.start.reduce(
        (element, at, dimension) => element + at * strides[dimension]!,
        source.elementOffset,
      )
      readBox(source, axesOf(box, strides), first, box.first - start, into)
    }
  })
  return strips.read
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

/** A part of a storage, and how its elements are laid out there and in the output. */
interface StorageWindow {
  readonly bytes: Uint8Array
  readonly axes: readonly Axis[]
  readonly elementBytes: number
  readonly into: Uint8Array
}

/** Copies the elements of the axes from `depth` on, from element `from` of the window to element `to` of the output. */
function scatter(window: StorageWindow, depth: number, from: number, to: number): void {
  const { axes } = window
  const { size, stride, outputStride } = axes[depth]!
  if (depth < axes.length - 1) {
    for (let at = 0; at < size; at++) scatter(window, depth + 1, from + at * stride, to + at * outputStride)
    return
  }
  const { from: inputs, to: outputs, parts } = elementViews(window)
  for (let part = 0; part < parts; part++) {
    let input = from * parts + part
    let output = to * parts + part
    for (let at = 0; at < size; at++) {
      outputs[output] = inputs[input]!
      input += stride * parts
      output += outputStride * parts
    }
  }
}

/** Elements as numbers where both sides are aligned, otherwise as their bytes. */
function elementViews({ bytes, into, elementBytes }: StorageWindow) {
  const View = elementBytes === 4 ? Uint32Array : elementBytes === 2 ? Uint16Array : Uint8Array
  const size = View.BYTES_PER_ELEMENT
  if (size !== elementBytes || bytes.byteOffset % size !== 0 || into.byteOffset % size !== 0)
    return { from: bytes, to: into, parts: elementBytes }
  const viewOf = (array: Uint8Array) =>
    new View(array.buffer as ArrayBuffer, array.byteOffset, Math.floor(array.length / size))
  return { from: viewOf(bytes), to: viewOf(into), parts: 1 }
}
