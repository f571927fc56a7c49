import type { TensorSource } from '../../tensor-source.ts'
import { SourceError } from '../errors.ts'
import { sourceFiles } from '../../source-files.ts'
import type { ElementReader } from '../elements/element-reader.ts'
import { scratchBlockBytes } from '../elements/scratch.ts'
import { type Scale, windowBlocks, withScaleWindow } from './scale-window.ts'

const heldGroups = scratchBlockBytes / 4

/** Creates what scales columns by the group that each is listed in, or each by its own. A row's scales are held at once. */
export function createGroupScaler(elements: ElementReader): Scale {
  const { read, scratch } = elements

  /** Reads the groups of columns from `first` on. @throws SourceError group-out-of-range */
  function readGroups(groups: TensorSource | undefined, first: number, groupCount: number, into: Int32Array): void {
    if (groups === undefined) {
      for (let i = 0; i < into.length; i++) into[i] = first + i
      return
    }
    read(groups, first, into.length, new Uint8Array(into.buffer, into.byteOffset, into.byteLength))
    for (let i = 0; i < into.length; i++) {
      const group = into[i]!
      if (group < 0 || group >= groupCount) {
        const file = sourceFiles([groups])[0]!
        throw new SourceError({ code: 'group-out-of-range', file, column: first + i, group, groupCount })
      }
    }
  }

  return (source, start, values) => {
    const { blockRows, divides } = source
    const factor = source.factor === undefined ? undefined : Math.fround(source.factor)
    const { groups } = source
    const columns = source.source.shape.at(-1) ?? 1
    const groupCount =
      groups === undefined ? columns : typeof source.scale === 'number' ? 1 : (source.scale.shape.at(-1) ?? 1)
    const rowOf = (element: number) => Math.floor(Math.floor(element / columns) / blockRows)
    const endRow = rowOf(start + values.length - 1) + 1
    const rowsAtOnce = Math.max(1, Math.floor(windowBlocks((endRow - rowOf(start)) * groupCount) / groupCount))
    withScaleWindow(elements, source, rowsAtOnce * groupCount, ({ scales, zeros, biases, load }) =>
      scratch.withBlock((block) => {
        const held = new Int32Array(block.buffer as ArrayBuffer, block.byteOffset, heldGroups)
        let heldFrom = 0
        let heldEnd = 0
        let firstRow = 0
        let loadedEnd = 0
        for (let done = 0; done < values.length;) {
          const row = rowOf(start + done)
          const column = (start + done) % columns
          if (row < firstRow || row >= loadedEnd) {
            firstRow = row
            loadedEnd = Math.min(row + rowsAtOnce, endRow)
            load(row * groupCount, (loadedEnd - row) * groupCount)
          }
          if (column < heldFrom || column >= heldEnd) {
            heldFrom = columns <= heldGroups ? 0 : column
            heldEnd = Math.min(columns, heldFrom + heldGroups)
            readGroups(groups, heldFrom, groupCount, held.subarray(0, heldEnd - heldFrom))
          }
          const end = Math.min(values.length, done + heldEnd - column)
          const columnsOf = held.subarray(column - heldFrom, column - heldFrom + end - done)
          const first = (row - firstRow) * groupCount
          const ofRow = (all: Float32Array) => all.subarray(first, first + groupCount)
          const part = values.subarray(done, end)
          if (divides === true) divide(part, columnsOf, ofRow(zeros), ofRow(scales))
          else multiply(part, columnsOf, ofRow(zeros), ofRow(scales))
          if (factor !== undefined) for (let i = 0; i < part.length; i++) part[i]! *= factor
          if (biases !== undefined) addBias(part, columnsOf, ofRow(biases))
          done = end
        }
      }),
    )
  }
}

function multiply(values: Float32Array, groups: Int32Array, zeros: Float32Array, scales: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    const group = groups[i]!
    values[i] = (values[i]! - zeros[group]!) * scales[group]!
  }
}

function divide(values: Float32Array, groups: Int32Array, zeros: Float32Array, scales: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    const group = groups[i]!
    values[i] = (values[i]! - zeros[group]!) / scales[group]!
  }
}

function addBias(values: Float32Array, groups: Int32Array, biases: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i]! += biases[groups[i]!]!
}
