import {
  type Code,
  defineFunction,
  encodeModule,
  f32,
  f32x4,
  f64,
  get,
  i32,
  loopWhile,
  set,
  type Statement,
  v128,
  when,
} from '@mk/wasm-encoder'
import { increase, smaller } from '../generator/sink.ts'
import { TILE_BYTES, TILE_COLUMNS, TILE_ROWS } from './tiles.ts'

/** From a matrix of float64 to tiles, or from tiles to a matrix. */
export type Move = 'load F64' | 'store F64' | 'store F32'

/** Generates `run(tiles, matrix, strideBytes, rows, columns)`: moves a part of a matrix from or to float64 tiles. */
export const moveTilesModule = (memoryPages: number, move: Move): Uint8Array<ArrayBuffer> =>
  encodeModule(memoryPages, [
    defineFunction(['i32', 'i32', 'i32', 'i32', 'i32'], (scope, [tiles, matrix, strideBytes, rows, columns]) => {
      const elementBytes = move === 'store F32' ? 4 : 8
      const [row, width, left, target, tile] = Array.from({ length: 5 }, () => scope.local('i32')) as [
        ReturnType<typeof scope.local<'i32'>>,
        ReturnType<typeof scope.local<'i32'>>,
        ReturnType<typeof scope.local<'i32'>>,
        ReturnType<typeof scope.local<'i32'>>,
        ReturnType<typeof scope.local<'i32'>>,
      ]
      // Rows of a strip of tiles follow one another, as TILE_ROWS of them fill a tile.
      return [
        loopWhile(get(columns), [
          set(width, smaller(get(columns), i32.const(TILE_COLUMNS))),
          set(row, i32.const(0)),
          set(target, get(matrix)),
          set(tile, get(tiles)),
          loopWhile(i32.lt_u(get(row), get(rows)), [
            when(
              i32.lt_u(get(width), i32.const(TILE_COLUMNS)),
              [
                set(left, get(width)),
                loopWhile(get(left), [
                  moveOne(move, get(tile), get(target)),
                  increase(tile, i32.const(8)),
                  increase(target, i32.const(elementBytes)),
                  increase(left, i32.const(-1)),
                ]),
                increase(tile, i32.mul(get(width), i32.const(-8))),
                increase(target, i32.mul(get(width), i32.const(-elementBytes))),
              ],
              moveEight(move, get(tile), get(target)),
            ),
            increase(tile, i32.const(8 * TILE_COLUMNS)),
            increase(target, get(strideBytes)),
            increase(row, i32.const(1)),
          ]),
          increase(
            tiles,
            i32.mul(
              i32.shr_u(i32.add(get(rows), i32.const(TILE_ROWS - 1)), i32.const(Math.log2(TILE_ROWS))),
              i32.const(TILE_BYTES),
            ),
          ),
          increase(matrix, i32.const(TILE_COLUMNS * elementBytes)),
          set(columns, i32.add(get(columns), i32.mul(get(width), i32.const(-1)))),
        ]),
      ]
    }),
  ])

function moveOne(move: Move, tile: Code<'i32'>, target: Code<'i32'>): Statement {
  switch (move) {
    case 'load F64':
      return f64.store(tile, f64.load(target))
    case 'store F64':
      return f64.store(target, f64.load(tile))
    case 'store F32':
      return f32.store(target, f32.demote_f64(f64.load(tile)))
    default:
      return move satisfies never
  }
}

function moveEight(move: Move, tile: Code<'i32'>, target: Code<'i32'>): Statement[] {
  const pairs = [0, 16, 32, 48]
  switch (move) {
    case 'load F64':
      return pairs.map((offset) => v128.store(tile, v128.load(target, offset), offset))
    case 'store F64':
      return pairs.map((offset) => v128.store(target, v128.load(tile, offset), offset))
    case 'store F32':
      return pairs.map((offset) =>
        v128.store64_lane(target, f32x4.demote_f64x2_zero(v128.load(tile, offset)), 0, offset / 2),
      )
    default:
      return move satisfies never
  }
}
