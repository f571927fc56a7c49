import type { DequantizedSource } from '../../tensor-source.ts'
import type { ElementReader } from '../elements/element-reader.ts'
import { type Scale, windowBlocks, withScaleWindow } from './scale-window.ts'

/** What the codes of a block have in common. */
export interface BlockScale {
  zero: number
  scale: number
  /** Undefined where nothing is added. */
  bias: number | undefined
}

/**
 * Finds the blocks of adjacent columns that elements are in.
 * @param start the first element
 * @param use is lent the block of elements [from, end), counted from `start`
 */
export function forEachBlock(
  elements: ElementReader,
  source: DequantizedSource,
  start: number,
  elementCount: number,
  use: (from: number, end: number, block: Readonly<BlockScale>) => void,
): void {
  const { blockRows, blockColumns } = source
  const columns = source.source.shape.at(-1) ?? 1
  const blocksPerRow = Math.ceil(columns / blockColumns)
  const blockAt = (row: number) => Math.floor(row / blockRows) * blocksPerRow
  let row = Math.floor(start / columns)
  let column = start % columns
  const blockEnd = blockAt(Math.floor((start + elementCount - 1) / columns)) + blocksPerRow
  const size = windowBlocks(blockEnd - blockAt(row))
  const lent: BlockScale = { zero: 0, scale: 1, bias: undefined }
  withScaleWindow(elements, source, size, ({ scales, zeros, biases, load }) => {
    let firstBlock = 0
    let endBlock = 0
    for (let from = 0; from < elementCount;) {
      const inRow = Math.floor(column / blockColumns)
      const block = blockAt(row) + inRow
      if (block < firstBlock || block >= endBlock) {
        firstBlock = block
        endBlock = Math.min(block + size, blockEnd)
        load(firstBlock, endBlock - firstBlock)
      }
      const at = block - firstBlock
      lent.zero = zeros[at]!
      lent.scale = scales[at]!
      lent.bias = biases?.[at]
      const end = Math.min(elementCount, from + Math.min((inRow + 1) * blockColumns, columns) - column)
      use(from, end, lent)
      column += end - from
      from = end
      if (column === columns) {
        column = 0
        row++
      }
    }
  })
}

/** Creates what scales blocks of adjacent columns. */
export function createBlockScaler(elements: ElementReader): Scale {
  return (source, start, values) =>
    forEachBlock(elements, source, start, values.length, (from, end, block) =>
      scaleBlock(source, block, values, from, end),
    )
}

/** Scales codes of one block in place. */
export function scaleBlock(
  { divides, factor }: Pick<DequantizedSource, 'divides' | 'factor'>,
  { zero, scale, bias }: Readonly<BlockScale>,
  values: Float32Array,
  from: number,
  end: number,
): void {
  if (divides === true) divide(values, from, end, zero, scale)
  else multiply(values, from, end, zero, scale)
  if (factor !== undefined) multiply(values, from, end, 0, Math.fround(factor))
  if (bias !== undefined) addBias(values, from, end, bias)
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
