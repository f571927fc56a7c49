import {
  defineFunction,
  encodeModule,
  f64x2,
  type FunctionScope,
  get,
  i32,
  type Local,
  loopWhile,
  repeat,
  set,
  type Statement,
  v128,
} from '@mk/wasm-encoder'

/** Columns of a strip of the packed right factor. */
export const STRIP_COLUMNS = 4
const STEP = 8 * STRIP_COLUMNS
/** Rows of a tile: eight sums of two lanes each stay in registers. */
const TILE_ROWS = 4

export const increase = (local: Local<'i32'>, by: number | ReturnType<typeof get<'i32'>>): Statement =>
  set(local, i32.add(get(local), typeof by === 'number' ? i32.const(by) : by))

/**
 * Generates `run(list, from, to, terms, columns)`: packs rows of a right factor, whose byte addresses stand in a list, from the byte `from` of
 * each row on, strip by strip of four columns, term by term within. Columns beyond the last are zero.
 */
export const packModule = (): Uint8Array<ArrayBuffer> =>
  encodeModule('any', [
    defineFunction(['i32', 'i32', 'i32', 'i32', 'i32'], (scope, [list, from, to, terms, columns]) => {
      const [place, rest, address, column] = [0, 1, 2, 3].map(() => scope.local('i32')) as [
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
        Local<'i32'>,
      ]
      const eachTerm = (body: readonly Statement[]): Statement[] => [
        set(place, get(list)),
        set(rest, get(terms)),
        repeat(
          [
            set(address, i32.add(i32.load(get(place)), get(from))),
            ...body,
            increase(to, STEP),
            increase(place, 4),
            increase(rest, -1),
          ],
          get(rest),
        ),
        increase(from, STEP),
      ]
      const whole = eachTerm([
        v128.store(get(to), v128.load(get(address))),
        v128.store(get(to), v128.load(get(address), 16), 16),
      ])
      const partial = eachTerm([
        v128.store(get(to), f64x2.const(0)),
        v128.store(get(to), f64x2.const(0), 16),
        set(column, i32.const(0)),
        repeat(
          [
            v128.store64_lane(i32.add(get(to), get(column)), v128.load64_zero(i32.add(get(address), get(column))), 0),
            increase(column, 8),
          ],
          i32.lt_u(get(column), i32.shl(get(columns), i32.const(3))),
        ),
      ])
      return [
        loopWhile(i32.lt_u(i32.const(STRIP_COLUMNS - 1), get(columns)), [...whole, increase(columns, -STRIP_COLUMNS)]),
        loopWhile(get(columns), [...partial, set(columns, i32.const(0))]),
      ]
    }),
  ])

/**
 * Generates `run(into, intoStride, left, leftStride, packed, rows, strips, terms)`, strides in bytes: adds the product of rows of `left` and
 * a packed right factor to rows of `into`, each sum by ascending terms. It reads and writes whole strips.
 */
export const multiplyModule = (): Uint8Array<ArrayBuffer> =>
  encodeModule('any', [
    defineFunction(
      ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
      (scope, [into, intoStride, left, leftStride, packed, rows, strips, terms]) => {
        const tile = (height: number) =>
          rowsOfTiles(scope, { into, intoStride, left, leftStride, packed, rows, strips, terms, height })
        return [
          loopWhile(i32.lt_u(i32.const(TILE_ROWS - 1), get(rows)), tile(TILE_ROWS)),
          loopWhile(get(rows), tile(1)),
        ]
      },
    ),
  ])

interface Tiles {
  readonly into: Local<'i32'>
  readonly intoStride: Local<'i32'>
  readonly left: Local<'i32'>
  readonly leftStride: Local<'i32'>
  readonly packed: Local<'i32'>
  readonly rows: Local<'i32'>
  readonly strips: Local<'i32'>
  readonly terms: Local<'i32'>
  readonly height: number
}

/** All strips of some rows. */
function rowsOfTiles(scope: FunctionScope, { height, ...at }: Tiles): Statement[] {
  const lines = Array.from({ length: height }, () => ({
    a: scope.local('i32'),
    c: scope.local('i32'),
    low: scope.local('v128'),
    high: scope.local('v128'),
  }))
  const [b, strip, rest] = [scope.local('i32'), scope.local('i32'), scope.local('i32')]
  const [low, high, own] = [scope.local('v128'), scope.local('v128'), scope.local('v128')]
  const step = [
    set(low, v128.load(get(b))),
    set(high, v128.load(get(b), 16)),
    ...lines.flatMap((line) => [
      set(own, v128.load64_splat(get(line.a))),
      set(line.low, f64x2.add(get(line.low), f64x2.mul(get(own), get(low)))),
      set(line.high, f64x2.add(get(line.high), f64x2.mul(get(own), get(high)))),
      increase(line.a, 8),
    ]),
    increase(b, STEP),
    increase(rest, -1),
  ]
  const starts = (from: Local<'i32'>, stride: Local<'i32'>, of: 'a' | 'c') =>
    lines.map((line, row) => set(line[of], i32.add(get(from), i32.mul(get(stride), i32.const(row)))))
  return [
    ...starts(at.into, at.intoStride, 'c'),
    set(b, get(at.packed)),
    set(strip, get(at.strips)),
    repeat(
      [
        ...starts(at.left, at.leftStride, 'a'),
        ...lines.flatMap(({ c, low, high }) => [set(low, v128.load(get(c))), set(high, v128.load(get(c), 16))]),
        set(rest, get(at.terms)),
        repeat(step, get(rest)),
        ...lines.flatMap(({ c, low, high }) => [
          v128.store(get(c), get(low)),
          v128.store(get(c), get(high), 16),
          increase(c, STEP),
        ]),
        increase(strip, -1),
      ],
      get(strip),
    ),
    increase(at.into, i32.mul(get(at.intoStride), i32.const(height))),
    increase(at.left, i32.mul(get(at.leftStride), i32.const(height))),
    increase(at.rows, -height),
  ]
}
