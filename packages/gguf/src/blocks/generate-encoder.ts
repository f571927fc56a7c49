import {
  defineFunction,
  encodeModule,
  f32,
  f32x4,
  type FunctionScope,
  get,
  i16x8,
  i32,
  i32x4,
  i8x16,
  type Local,
  loopWhile,
  select,
  set,
  type Statement,
  v128,
  type Vector,
} from '@mk/wasm-encoder'

/** A type that is encoded in blocks of 32 elements with a scale in front. */
export type BlockType = 'Q8_0' | 'Q4_0'

/** What a block's code has at hand. */
interface Block {
  readonly scope: FunctionScope
  /** Where its elements are. */
  readonly values: Local<'i32'>
  /** Where it is written. */
  readonly target: Local<'i32'>
  /** Its elements, four to each. */
  readonly vectors: readonly Local<'v128'>[]
  /** The largest magnitude, NaN if any element is. */
  readonly largest: Local<'f32'>
}

const bytesOfBlock: Readonly<Record<BlockType, number>> = { Q8_0: 34, Q4_0: 18 }

/** Generates `run(values, end, target)`: encodes the float32 elements from `values` to `end`, both addresses in `env.memory`. */
export function generateEncoder(type: BlockType, memoryPages: number): Uint8Array<ArrayBuffer> {
  const run = defineFunction(['i32', 'i32', 'i32'], (scope, [values, end, target]) => {
    const vectors = Array.from({ length: 8 }, () => scope.local('v128'))
    const block: Block = { scope, values, target, vectors, largest: scope.local('f32') }
    return [
      loopWhile(i32.lt_u(get(values), get(end)), [
        ...vectors.map((vector, index) => set(vector, v128.load(get(values), 16 * index))),
        ...findLargest(block),
        ...(type === 'Q8_0' ? encodeQ8_0(block) : encodeQ4_0(block)),
        set(values, i32.add(get(values), i32.const(128))),
        set(target, i32.add(get(target), i32.const(bytesOfBlock[type]))),
      ]),
    ]
  })
  return encodeModule(memoryPages, [run])
}

/** Compares magnitudes as integers, which go in the same order, NaN above all. */
function findLargest({ scope, vectors, largest }: Block): Statement[] {
  const folded = scope.local('v128')
  const magnitudes = vectors.map((vector) => v128.and(get(vector), i32x4.const(0x7fffffff)))
  const pairs = [0, 2, 4, 6].map((at) => i32x4.max_u(magnitudes[at]!, magnitudes[at + 1]!))
  const swap = (lanes: readonly number[]): Vector =>
    i8x16.shuffle(
      get(folded),
      get(folded),
      lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
    )
  return [
    set(folded, i32x4.max_u(i32x4.max_u(pairs[0]!, pairs[1]!), i32x4.max_u(pairs[2]!, pairs[3]!))),
    set(folded, i32x4.max_u(get(folded), swap([2, 3, 0, 1]))),
    set(folded, i32x4.max_u(get(folded), swap([1, 0, 3, 2]))),
    set(largest, f32x4.extract_lane(get(folded), 0)),
  ]
}

/** q = x / d to nearest, halves away from zero; d = max |x| / 127. */
function encodeQ8_0(block: Block): Statement[] {
  const { scope, target, vectors, largest } = block
  const scale = scope.local('f32')
  const integers = vectors.map((vector) => i32x4.trunc_sat_f32x4_s(pushedFromZero(vector)))
  return [
    set(scale, f32.div(get(largest), f32.const(127))),
    ...storeHalf(block, scale),
    ...divide(block, scale),
    v128.store(get(target), narrowed(integers.slice(0, 4)), 2),
    v128.store(get(target), narrowed(integers.slice(4)), 18),
  ]
}

/**
 * Adds what makes truncation round to nearest, halves away from zero: just less than a half, since a half would carry the largest
 * number below one half to one.
 */
const pushedFromZero = (value: Local<'v128'>): Vector =>
  f32x4.add(get(value), v128.or(v128.and(get(value), i32x4.const(-0x80000000)), f32x4.const(0.49999997)))

/** q = ⌊x / d + 8.5⌋ up to 15; d = x / −8 of the x of the largest magnitude, the first where several are. */
function encodeQ4_0(block: Block): Statement[] {
  const { scope, values, target, vectors, largest } = block
  const scale = scope.local('f32')
  const places = scope.local('i32')
  const extreme = f32.load(i32.add(get(values), i32.shl(i32.and(i32.ctz(get(places)), i32.const(31)), i32.const(2))))
  const isLargest = vectors.map((vector) => f32x4.eq(f32x4.abs(get(vector)), f32x4.splat(get(largest))))
  const integers = vectors.map((vector) =>
    i32x4.min_s(i32x4.trunc_sat_f32x4_s(f32x4.add(get(vector), f32x4.const(8.5))), i32x4.const(15)),
  )
  return [
    set(
      places,
      i32.or(
        i8x16.bitmask(narrowed(isLargest.slice(0, 4))),
        i32.shl(i8x16.bitmask(narrowed(isLargest.slice(4))), i32.const(16)),
      ),
    ),
    // Where NaN is the largest, none is equal to it.
    set(scale, f32.div(select(get(largest), extreme, i32.eqz(get(places))), f32.const(-8))),
    ...storeHalf(block, scale),
    ...divide(block, scale),
    v128.store(
      get(target),
      v128.or(narrowed(integers.slice(0, 4)), i8x16.shl(narrowed(integers.slice(4)), i32.const(4))),
      2,
    ),
  ]
}

/** Sixteen bytes of four vectors of integers, which fit. */
const narrowed = ([a, b, c, d]: readonly Vector[]): Vector =>
  i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a!, b!), i16x8.narrow_i32x4_s(c!, d!))

/**
 * Divides the elements by the scale: multiplies by its inverse; by zero where the scale is, and by NaN, which becomes zeros, where
 * the inverse is infinite.
 */
function divide({ scope, vectors }: Block, scale: Local<'f32'>): Statement[] {
  const inverse = scope.local('f32')
  const factor = scope.local('v128')
  const infinity = f32.const(Infinity)
  const isInfinite = i32.or(f32.eq(get(inverse), infinity), f32.eq(get(inverse), f32.const(-Infinity)))
  return [
    set(inverse, f32.div(f32.const(1), get(scale))),
    set(inverse, select(f32.const(NaN), get(inverse), isInfinite)),
    set(factor, f32x4.splat(select(f32.const(0), get(inverse), f32.eq(get(scale), f32.const(0))))),
    ...vectors.map((vector) => set(vector, f32x4.mul(get(vector), get(factor)))),
  ]
}

/** Writes the scale as F16 at the start of the block: to nearest even, any NaN as 0x7e00. */
function storeHalf({ scope, target }: Block, scale: Local<'f32'>): Statement[] {
  const [stored, size, half] = [scope.local('v128'), scope.local('v128'), scope.local('v128')]
  const odd = v128.and(i32x4.shr_u(get(size), i32.const(13)), i32x4.const(1))
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(get(size), i32x4.const(0xfff)), odd), i32.const(13))
  const normal = i32x4.min_s(i32x4.sub(rounded, i32x4.const(112 << 10)), i32x4.const(0x7c00))
  const subnormal = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(get(size), f32x4.const(2 ** 24))))
  const sign = v128.and(i32x4.shr_u(get(stored), i32.const(16)), i32x4.const(0x8000))
  const isNaN = i32x4.gt_s(get(size), i32x4.const(0x7f800000))
  return [
    set(stored, f32x4.splat(get(scale))),
    set(size, v128.and(get(stored), i32x4.const(0x7fffffff))),
    set(half, v128.or(sign, v128.bitselect(subnormal, normal, i32x4.lt_s(get(size), i32x4.const(0x38800000))))),
    i32.store16(get(target), i32x4.extract_lane(v128.bitselect(i32x4.const(0x7e00), get(half), isNaN), 0)),
  ]
}
