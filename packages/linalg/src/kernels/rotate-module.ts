import { defineFunction, encodeModule, f64, f64x2, get, i32, loopWhile, set, v128 } from '@mk/wasm-encoder'
import { increase } from './multiply-module.ts'

/**
 * Generates `run(first, second, bytes, cosine, sine)`: turns two rows a and b into c·a − s·b and s·a + c·b. `bytes` is a multiple of 32.
 */
export const rotateModule = (): Uint8Array<ArrayBuffer> =>
  encodeModule('any', [
    defineFunction(['i32', 'i32', 'i32', 'f64', 'f64'], (scope, [first, second, bytes, cosine, sine]) => {
      const [c, s, a, b] = [scope.local('v128'), scope.local('v128'), scope.local('v128'), scope.local('v128')]
      const end = scope.local('i32')
      const pair = (offset: number) => [
        set(a, v128.load(get(first), offset)),
        set(b, v128.load(get(second), offset)),
        v128.store(get(first), f64x2.sub(f64x2.mul(get(c), get(a)), f64x2.mul(get(s), get(b))), offset),
        v128.store(get(second), f64x2.add(f64x2.mul(get(s), get(a)), f64x2.mul(get(c), get(b))), offset),
      ]
      return [
        set(c, f64x2.splat(get(cosine))),
        set(s, f64x2.splat(get(sine))),
        set(end, i32.add(get(first), get(bytes))),
        loopWhile(i32.lt_u(get(first), get(end)), [...pair(0), ...pair(16), increase(first, 32), increase(second, 32)]),
      ]
    }),
  ])

/** Generates `run(first, second, bytes, into)`: writes the product of two rows. `bytes` is a multiple of 32. */
export const dotModule = (): Uint8Array<ArrayBuffer> =>
  encodeModule('any', [
    defineFunction(['i32', 'i32', 'i32', 'i32'], (scope, [first, second, bytes, into]) => {
      const [even, odd] = [scope.local('v128'), scope.local('v128')]
      const end = scope.local('i32')
      const term = (offset: number) => f64x2.mul(v128.load(get(first), offset), v128.load(get(second), offset))
      return [
        set(even, f64x2.const(0)),
        set(odd, f64x2.const(0)),
        set(end, i32.add(get(first), get(bytes))),
        loopWhile(i32.lt_u(get(first), get(end)), [
          set(even, f64x2.add(get(even), term(0))),
          set(odd, f64x2.add(get(odd), term(16))),
          increase(first, 32),
          increase(second, 32),
        ]),
        set(even, f64x2.add(get(even), get(odd))),
        f64.store(get(into), f64.add(f64x2.extract_lane(get(even), 0), f64x2.extract_lane(get(even), 1))),
      ]
    }),
  ])
