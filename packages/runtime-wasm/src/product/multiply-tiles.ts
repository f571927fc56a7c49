import { PRODUCT_DEPTH } from '@mk/tensor/runtime'
import {
  defineFunction,
  encodeModule,
  f32x4,
  f64x2,
  get,
  i32,
  type Local,
  loopWhile,
  repeat,
  set,
  type Statement,
  v128,
} from '@mk/wasm-encoder'
import { upperPair } from '../generator/codec.ts'
import { TILE_BYTES, TILE_COLUMNS, TILE_ROWS } from './tiles.ts'

/** Steps of the sums in one round of the loop. */
const UNROLL = 4
const LEFT_STEP = 4 * TILE_ROWS
const RIGHT_STEP = 4 * TILE_COLUMNS

/**
 * Generates `run(left, right, tiles, leftStrips, rightStrips, depth)`: adds the product of packed factors, of at most
 * PRODUCT_DEPTH terms, to float64 tiles. Those lie strip by strip of the right factor, row-major within.
 */
export const multiplyTilesModule = (memoryPages: number): Uint8Array<ArrayBuffer> =>
  encodeModule(memoryPages, [
    defineFunction(
      ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
      (scope, [left, right, tiles, leftStrips, rightStrips, depth]) => {
        const a = scope.local('i32')
        const b = scope.local('i32')
        const strip = scope.local('i32')
        const rounds = scope.local('i32')
        const sums = Array.from({ length: TILE_ROWS }, () => [scope.local('v128'), scope.local('v128')] as const)
        const [low, high] = [scope.local('v128'), scope.local('v128')]
        const row = scope.local('v128')
        const step = (index: number): Statement[] => [
          set(low, v128.load(get(b), RIGHT_STEP * index)),
          set(high, v128.load(get(b), RIGHT_STEP * index + 16)),
          ...sums.flatMap(([first, second], lane) => [
            set(row, v128.load32_splat(get(a), LEFT_STEP * index + 4 * lane)),
            set(first, f32x4.add(get(first), f32x4.mul(get(row), get(low)))),
            set(second, f32x4.add(get(second), f32x4.mul(get(row), get(high)))),
          ]),
        ]
        const steps = (count: number): Statement[] => [
          ...Array.from({ length: count }, (_, index) => step(index)).flat(),
          add(a, LEFT_STEP * count),
          add(b, RIGHT_STEP * count),
          add(rounds, -1),
        ]
        const tile = [
          set(b, get(right)),
          ...sums.flat().map((sum) => set(sum, f32x4.const(0))),
          set(rounds, i32.shr_u(get(depth), i32.const(Math.log2(UNROLL)))),
          loopWhile(get(rounds), steps(UNROLL)),
          set(rounds, i32.and(get(depth), i32.const(UNROLL - 1))),
          loopWhile(get(rounds), steps(1)),
          ...sums
            .flat()
            .flatMap((sum, half) => [
              addPair(tiles, 32 * half, f64x2.promote_low_f32x4(get(sum))),
              addPair(tiles, 32 * half + 16, f64x2.promote_low_f32x4(upperPair(get(sum)))),
            ]),
          add(tiles, TILE_BYTES),
        ]
        // The last strip of the left factor may have been left before its end, where the sums are short.
        return [
          repeat(
            [
              set(strip, i32.const(0)),
              repeat(
                [
                  set(a, i32.add(get(left), i32.mul(get(strip), i32.const(LEFT_STEP * PRODUCT_DEPTH)))),
                  ...tile,
                  add(strip, 1),
                ],
                i32.lt_u(get(strip), get(leftStrips)),
              ),
              add(right, RIGHT_STEP * PRODUCT_DEPTH),
              add(rightStrips, -1),
            ],
            get(rightStrips),
          ),
        ]
      },
    ),
  ])

const add = (local: Local<'i32'>, value: number): Statement => set(local, i32.add(get(local), i32.const(value)))

const addPair = (tiles: Local<'i32'>, offset: number, value: ReturnType<typeof f64x2.add>): Statement =>
  v128.store(get(tiles), f64x2.add(v128.load(get(tiles), offset), value), offset)
