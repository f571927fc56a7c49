import { defineFunction, encodeModule, f64, f64x2, get, i32, loopWhile, repeat, set, v128 } from '@mk/wasm-encoder'
import { increase } from './multiply-module.ts'

/**
 * Generates `run(vector, bytes, norm, rows, stride, count)`: takes of each of some rows, from where they are given on, its part along a
 * vector, whose squared length is 2·norm, twice. `bytes` is a multiple of 32; what lies past the vector's end there is zero.
 */
export const reflectModule = (): Uint8Array<ArrayBuffer> =>
  encodeModule('any', [
    defineFunction(['i32', 'i32', 'f64', 'i32', 'i32', 'i32'], (scope, [vector, bytes, norm, rows, stride, count]) => {
      const at = scope.local('i32')
      const [even, odd, factor] = [scope.local('v128'), scope.local('v128'), scope.local('v128')]
      const own = (offset: number) => v128.load(i32.add(get(rows), get(at)), offset)
      const other = (offset: number) => v128.load(i32.add(get(vector), get(at)), offset)
      const lane = (index: number) => f64x2.extract_lane(get(even), index)
      const subtract = (offset: number) =>
        v128.store(i32.add(get(rows), get(at)), f64x2.sub(own(offset), f64x2.mul(get(factor), other(offset))), offset)
      return [
        loopWhile(get(count), [
          set(even, f64x2.const(0)),
          set(odd, f64x2.const(0)),
          set(at, i32.const(0)),
          repeat(
            [
              set(even, f64x2.add(get(even), f64x2.mul(own(0), other(0)))),
              set(odd, f64x2.add(get(odd), f64x2.mul(own(16), other(16)))),
              increase(at, 32),
            ],
            i32.lt_u(get(at), get(bytes)),
          ),
          set(even, f64x2.add(get(even), get(odd))),
          set(factor, f64x2.splat(f64.div(f64.add(lane(0), lane(1)), get(norm)))),
          set(at, i32.const(0)),
          repeat([subtract(0), subtract(16), increase(at, 32)], i32.lt_u(get(at), get(bytes))),
          increase(rows, get(stride)),
          increase(count, -1),
        ]),
      ]
    }),
  ])

/**
 * Generates `run(matrix, stride, pairs, u, p, v, into)`: of pairs of rows of a symmetric matrix, from the first on, whose lower triangle is
 * kept, takes u·pᵀ + p·uᵀ off, and adds the product of what is left with v to `into`.
 */
export const sweepModule = (): Uint8Array<ArrayBuffer> =>
  encodeModule('any', [
    defineFunction(
      ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
      (scope, [matrix, stride, pairs, u, p, v, into]) => {
        const [at, end, next] = [scope.local('i32'), scope.local('i32'), scope.local('i32')]
        const vector = () => scope.local('v128')
        const rows = [0, 1].map((index) => ({
          index,
          start: index === 0 ? matrix : next,
          u: vector(),
          p: vector(),
          v: vector(),
          a: vector(),
          sum: vector(),
        }))
        const [uj, pj, vj] = [vector(), vector(), vector()]
        const [a, u0, p0, u1, p1] = [0, 1, 2, 3, 4].map(() => scope.local('f64')) as [
          ReturnType<typeof scope.local<'f64'>>,
          ReturnType<typeof scope.local<'f64'>>,
          ReturnType<typeof scope.local<'f64'>>,
          ReturnType<typeof scope.local<'f64'>>,
          ReturnType<typeof scope.local<'f64'>>,
        ]
        const place = (base: typeof u) => i32.add(get(base), get(at))
        const [first, second] = rows as [(typeof rows)[0], (typeof rows)[0]]
        const lanes = (sum: typeof uj) => f64.add(f64x2.extract_lane(get(sum), 0), f64x2.extract_lane(get(sum), 1))
        const addTo = (offset: number, value: ReturnType<typeof f64.add>) =>
          f64.store(place(into), f64.add(f64.load(place(into), offset), value), offset)
        /** An element on the diagonal's block, which is left in `a`. */
        const corner = (
          start: typeof u,
          offset: number,
          own: readonly [typeof a, typeof a],
          other: readonly [typeof a, typeof a],
        ) => [
          set(
            a,
            f64.sub(
              f64.load(place(start), offset),
              f64.add(f64.mul(get(own[0]), get(other[1])), f64.mul(get(own[1]), get(other[0]))),
            ),
          ),
          f64.store(place(start), get(a), offset),
        ]
        const timesV = (offset: number) => f64.mul(get(a), f64.load(place(v), offset))
        return [
          set(end, i32.const(0)),
          loopWhile(get(pairs), [
            set(next, i32.add(get(matrix), get(stride))),
            ...rows.flatMap((row) => [
              set(row.u, v128.load64_splat(i32.add(get(u), get(end)), 8 * row.index)),
              set(row.p, v128.load64_splat(i32.add(get(p), get(end)), 8 * row.index)),
              set(row.v, v128.load64_splat(i32.add(get(v), get(end)), 8 * row.index)),
              set(row.sum, f64x2.const(0)),
            ]),
            set(at, i32.const(0)),
            loopWhile(i32.lt_u(get(at), get(end)), [
              set(uj, v128.load(place(u))),
              set(pj, v128.load(place(p))),
              set(vj, v128.load(place(v))),
              ...rows.flatMap((row) => [
                set(
                  row.a,
                  f64x2.sub(
                    v128.load(place(row.start)),
                    f64x2.add(f64x2.mul(get(row.u), get(pj)), f64x2.mul(get(row.p), get(uj))),
                  ),
                ),
                v128.store(place(row.start), get(row.a)),
                set(row.sum, f64x2.add(get(row.sum), f64x2.mul(get(row.a), get(vj)))),
              ]),
              v128.store(
                place(into),
                f64x2.add(
                  v128.load(place(into)),
                  f64x2.add(f64x2.mul(get(first.a), get(first.v)), f64x2.mul(get(second.a), get(second.v))),
                ),
              ),
              increase(at, 16),
            ]),
            set(u0, f64.load(place(u))),
            set(p0, f64.load(place(p))),
            set(u1, f64.load(place(u), 8)),
            set(p1, f64.load(place(p), 8)),
            addTo(0, lanes(first.sum)),
            addTo(8, lanes(second.sum)),
            ...corner(first.start, 0, [u0, p0], [u0, p0]),
            addTo(0, timesV(0)),
            ...corner(second.start, 0, [u1, p1], [u0, p0]),
            addTo(0, timesV(8)),
            addTo(8, timesV(0)),
            ...corner(second.start, 8, [u1, p1], [u1, p1]),
            addTo(8, timesV(8)),
            set(matrix, i32.add(get(next), get(stride))),
            increase(end, 16),
            increase(pairs, -1),
          ]),
        ]
      },
    ),
  ])
