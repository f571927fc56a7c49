import { dtypeBytes } from '@mk/safetensors'
import { type Factor, PRODUCT_DEPTH, type Product, type ProductKernel, storedMatrices } from '@mk/tensor/runtime'
import type { Arena } from '../arena.ts'
import { type MatrixView, type Part, viewMatrix } from './matrix-view.ts'
import { type Move, moveTilesModule } from './move-tiles.ts'
import { multiplyTilesModule } from './multiply-tiles.ts'
import { packedBytes, packModule } from './pack.ts'
import { BLOCK_COLUMNS, BLOCK_ROWS, TILE_BYTES, TILE_COLUMNS, TILE_ROWS } from './tiles.ts'

/** A generated function. */
export type Run = (...words: readonly number[]) => void
/** Compiles a module for the arena's memory, the same one only once. */
type Instantiate = (name: string, generate: (memoryPages: number) => Uint8Array<ArrayBuffer>) => Promise<Run>

/** Some lines (rows of the left factor, columns of the right one) and some of their terms. */
interface Lines {
  readonly line: number
  readonly lines: number
  readonly term: number
  readonly terms: number
}

/** Packs a part of a factor to an address. */
type Pack = (view: MatrixView, part: Lines, to: number) => void

/**
 * Makes the kernel of a product. For each block of the result, a block of each factor is packed and multiplied tile by tile, and so
 * on over the terms; what that takes of memory is some megabytes, whatever the sizes.
 */
export async function createProductKernel(
  product: Product,
  arena: Arena,
  instantiate: Instantiate,
): Promise<ProductKernel> {
  const packLeft = await createPack(product.left, TILE_ROWS, !product.left.transposed, instantiate)
  const packRight = await createPack(product.right, TILE_COLUMNS, product.right.transposed, instantiate)
  const moving = (move: Move): Promise<Run> => instantiate(move, (pages) => moveTilesModule(pages, move))
  const load = await moving('load F64')
  const store = await moving(`store ${product.result}`)
  const multiplyTiles = await instantiate('multiply', multiplyTilesModule)

  return {
    run(call) {
      const { rows, columns, depth, add = false } = call
      if (rows === 0 || columns === 0) return
      const matrices = storedMatrices(product, call)
      const scratch = arena.scratch('a product')
      const [mostRows, mostColumns] = [Math.min(BLOCK_ROWS, rows), Math.min(BLOCK_COLUMNS, columns)]
      const leftPacked = scratch.take(packedBytes(mostRows))
      const rightPacked = scratch.take(packedBytes(mostColumns))
      const tilesBytes = Math.ceil(mostRows / TILE_ROWS) * Math.ceil(mostColumns / TILE_COLUMNS) * TILE_BYTES
      const tiles = scratch.take(tilesBytes)
      const terms = Math.min(PRODUCT_DEPTH, depth)
      const view = (name: 'left' | 'right' | 'into', dtype: Factor['dtype'], most: number): MatrixView =>
        viewMatrix({ arena, scratch }, call[name], matrices[name], dtypeBytes(dtype), most)
      const left = view('left', product.left.dtype, mostRows * terms)
      const right = view('right', product.right.dtype, mostColumns * terms)
      const into = view('into', product.result, mostRows * mostColumns)

      const multiplyBlock = (block: Part): void => {
        if (add) {
          const { address, strideBytes } = into.read(block)
          load(tiles, address, strideBytes, block.rows, block.columns)
        } else new Uint8Array(arena.buffer, tiles, tilesBytes).fill(0)
        for (let term = 0; term < depth; term += PRODUCT_DEPTH) {
          const count = Math.min(PRODUCT_DEPTH, depth - term)
          packLeft(left, { line: block.row, lines: block.rows, term, terms: count }, leftPacked)
          packRight(right, { line: block.column, lines: block.columns, term, terms: count }, rightPacked)
          const leftStrips = Math.ceil(block.rows / TILE_ROWS)
          multiplyTiles(leftPacked, rightPacked, tiles, leftStrips, Math.ceil(block.columns / TILE_COLUMNS), count)
        }
        const { address, strideBytes } = into.open(block)
        store(tiles, address, strideBytes, block.rows, block.columns)
        into.finish(block)
      }

      for (let column = 0; column < columns; column += BLOCK_COLUMNS)
        for (let row = 0; row < rows; row += BLOCK_ROWS)
          multiplyBlock({
            row,
            rows: Math.min(BLOCK_ROWS, rows - row),
            column,
            columns: Math.min(BLOCK_COLUMNS, columns - column),
          })
    },
  }
}

async function createPack(
  { dtype }: Factor,
  width: 4 | 8,
  termsAdjacent: boolean,
  instantiate: Instantiate,
): Promise<Pack> {
  const run = await instantiate(`pack ${dtype} ${width} ${termsAdjacent}`, (pages) =>
    packModule(pages, { dtype, width, termsAdjacent }),
  )
  return (view, { line, lines, term, terms }, to) => {
    const { address, strideBytes } = view.read(
      termsAdjacent
        ? { row: line, rows: lines, column: term, columns: terms }
        : { row: term, rows: terms, column: line, columns: lines },
    )
    run(address, strideBytes, to, lines, terms)
  }
}
