import type { ElementReader } from '../elements/element-reader.ts'
import { type Scale, windowBlocks, withScaleWindow } from './scale-window.ts'

/** Creates what scales blocks of adjacent columns. */
export function createBlockScaler(elements: ElementReader): Scale {
  return (source, start, values) => {
    const { blockRows, blockColumns, divides } = source
    const factor = source.factor === undefined ? undefined : Math.fround(source.factor)
    const columns = source.source.shape.at(-1) ?? 1
    const blocksPerRow = Math.ceil(columns / blockColumns)
    const blockAt = (row: number) => Math.floor(row / blockRows) * blocksPerRow
    let row = Math.floor(start / columns)
    let column = start % columns
    const blockEnd = blockAt(Math.floor((start + values.length - 1) / columns)) + blocksPerRow
    const size = windowBlocks(blockEnd - blockAt(row))
    withScaleWindow(elements, source, size, ({ scales, zeros, biases, load }) => {
      let firstBlock = 0
      let endBlock = 0
      for (let done = 0; done < values.length;) {
        const inRow = Math.floor(column / blockColumns)
        const block = blockAt(row) + inRow
        if (block < firstBlock || block >= endBlock) {
          firstBlock = block
          endBlock = Math.min(block + size, blockEnd)
          load(firstBlock, endBlock - firstBlock)
        }
        const at = block - firstBlock
        const end = Math.min(values.length, done + Math.min((inRow + 1) * blockColumns, columns) - column)
        const zero = zeros[at]!
        const scale = scales[at]!
        if (divides === true) divide(values, done, end, zero, scale)
        else multiply(values, done, end, zero, scale)
        if (factor !== undefined) multiply(values, done, end, 0, factor)
        if (biases !== undefined) addBias(values, done, end, biases[at]!)
        column += end - done
        done = end
        if (column === columns) {
          column = 0
          row++
        }
      }
    })
  }
}

// Each loop is a function of its own, since in that function everything it uses is a local.

function multiply(values: Float32Array, start: number, end: number, zero: number, scale: number): void {
  for (let i = start; i < end; i++) values[i] = (values[i]! - zero) * scale
}

function divide(values: Float32Array, start: number, end: number, zero: number, scale: number): void {
  for (let i = start; i < end; i++) values[i] = (values[i]! - zero) / scale
}

function addBias(values: Float32Array, start: number, end: number, bias: number): void {
  for (let i = start; i < end; i++) values[i]! += bias
}
