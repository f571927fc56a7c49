import { elementCount } from '@mk/safetensors'

export interface ScaleBlocks {
  readonly blockRows: number
  readonly blockColumns: number
}

const usualBlock = 128

/**
 * Finds which block of a weight each element of its scale belongs to; undefined where the shapes don't fit. One scale may serve
 * all of the weight, each of its stacked matrices, each row, each column, or each block.
 * @param configured rows and columns of a block, where config.json tells
 */
export function scaleBlocks(
  shape: readonly number[],
  scaleShape: readonly number[],
  configured: readonly number[] | undefined,
): ScaleBlocks | undefined {
  const columns = shape.at(-1) ?? 1
  const rows = shape.length > 1 ? shape.at(-2)! : 1
  const matrices = elementCount(shape.slice(0, -2))
  if (elementCount(scaleShape) === 1) return { blockRows: Math.max(1, rows * matrices), blockColumns: columns }
  if (scaleShape.length === 1 && shape.length === 2 && scaleShape[0] === rows)
    return { blockRows: 1, blockColumns: columns }
  if (scaleShape.length !== shape.length || shape.length < 2) return undefined
  if (scaleShape.slice(0, -2).some((size, dimension) => size !== shape[dimension])) return undefined
  const blockRows = blockSize(rows, scaleShape.at(-2)!, configured?.[0])
  const blockColumns = blockSize(columns, scaleShape.at(-1)!, configured?.[1])
  if (blockRows === undefined || blockColumns === undefined) return undefined
  // Rows of stacked matrices are counted through, so that a block must not reach from one into the next.
  return matrices > 1 && rows % blockRows !== 0 ? undefined : { blockRows, blockColumns }
}

function blockSize(size: number, blocks: number, configured: number | undefined): number | undefined {
  if (blocks === 1) return size
  if (blocks === size) return 1
  const candidates = [configured, usualBlock, size / blocks]
  return candidates.find(
    (block) => block !== undefined && Number.isInteger(block) && block > 0 && Math.ceil(size / block) === blocks,
  )
}
