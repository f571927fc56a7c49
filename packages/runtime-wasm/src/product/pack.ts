import { type Dtype, dtypeBytes } from '@mk/safetensors'
import { PRODUCT_DEPTH } from '@mk/tensor/runtime'
import {
  type Code,
  defineFunction,
  encodeModule,
  type FunctionCode,
  type FunctionScope,
  get,
  i32,
  i8x16,
  type Local,
  loopWhile,
  select,
  set,
  type Statement,
  v128,
  type Vector,
} from '@mk/wasm-encoder'
import { type Eight, loadEight } from '../generator/codec.ts'
import type { Keep } from '../generator/minifloat.ts'
import { increase } from '../generator/sink.ts'

/** How a factor is packed, and from what. Its lines are the rows of a left factor, the columns of a right one. */
export interface Packing {
  readonly dtype: Dtype
  /** Lines of a strip. */
  readonly width: 4 | 8
  /** Whether the terms of a line stand side by side as stored; else the lines do. */
  readonly termsAdjacent: boolean
}

/** What eight lines take when they are packed. */
const EIGHT_LINES = 8 * 4 * PRODUCT_DEPTH

/** Tells how many bytes so many packed lines take; packing works on up to 16 at once. */
export const packedBytes = (lines: number): number => Math.ceil(lines / 16) * 2 * EIGHT_LINES

/**
 * Generates `run(from, strideBytes, to, lines, depth)`: widens `lines` lines of `depth` terms to float32, and lays them out in strips
 * of `width` lines, term by term. A strip has room for PRODUCT_DEPTH terms; what lies beyond `lines` and `depth` is anything.
 */
export const packModule = (memoryPages: number, packing: Packing): Uint8Array<ArrayBuffer> =>
  encodeModule(memoryPages, [packing.termsAdjacent ? packAcross(packing) : packAlong(packing)])

/** Eight lines by eight terms at a time, turned in registers. */
const packAcross = ({ dtype, width }: Packing): FunctionCode =>
  defineFunction(['i32', 'i32', 'i32', 'i32', 'i32'], (scope, [from, strideBytes, to, lines, depth]) => {
    const withKept = createKeeper(scope)
    const addresses = Array.from({ length: 8 }, () => scope.local('i32'))
    const target = scope.local('i32')
    const term = scope.local('i32')
    // The last lines of a matrix stand in for those beyond it.
    const nearest = (line: number): Code<'i32'> =>
      select(i32.const(line), i32.add(get(lines), i32.const(-1)), i32.lt_u(i32.const(line), get(lines)))
    const turned = withKept((keep) => {
      const loaded = addresses.map((address) => loadEight(dtype, get(address), 0, keep).map(keep))
      return [0, 1].flatMap((group) =>
        [0, 1].flatMap((half) =>
          transposeFour(
            [0, 1, 2, 3].map((line) => loaded[4 * group + line]![half]!),
            keep,
          ).map((four, index) => v128.store(get(target), four, packedOffset(width, 4 * half + index, group))),
        ),
      )
    })
    return [
      loopWhile(get(lines), [
        ...addresses.map((address, line) => set(address, i32.add(get(from), i32.mul(get(strideBytes), nearest(line))))),
        set(target, get(to)),
        set(term, i32.const(0)),
        loopWhile(i32.lt_u(get(term), get(depth)), [
          ...turned,
          ...addresses.map((address) => increase(address, i32.const(8 * dtypeBytes(dtype)))),
          increase(target, i32.const(8 * 4 * width)),
          increase(term, i32.const(8)),
        ]),
        increase(from, i32.mul(get(strideBytes), i32.const(8))),
        increase(to, i32.const(EIGHT_LINES)),
        leave(lines, 8),
      ]),
    ]
  })

/** Sixteen lines of a term at a time, so that what is fetched of a row of float32 is used at once. */
const packAlong = ({ dtype, width }: Packing): FunctionCode =>
  defineFunction(['i32', 'i32', 'i32', 'i32', 'i32'], (scope, [from, strideBytes, to, lines, depth]) => {
    const withKept = createKeeper(scope)
    const [first, second, target, term] = [0, 1, 2, 3].map(() => scope.local('i32')) as [
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
      Local<'i32'>,
    ]
    const storeEight = (four: Eight, base: number): Statement[] =>
      four.map((vector, group) => v128.store(get(target), vector, base + packedOffset(width, 0, group)))
    const eightBytes = 8 * dtypeBytes(dtype)
    return [
      loopWhile(get(lines), [
        set(first, get(from)),
        set(
          second,
          i32.add(get(from), select(i32.const(eightBytes), i32.const(0), i32.lt_u(i32.const(8), get(lines)))),
        ),
        set(target, get(to)),
        set(term, i32.const(0)),
        loopWhile(i32.lt_u(get(term), get(depth)), [
          ...withKept((keep) => storeEight(loadEight(dtype, get(first), 0, keep), 0)),
          ...withKept((keep) => storeEight(loadEight(dtype, get(second), 0, keep), EIGHT_LINES)),
          increase(first, get(strideBytes)),
          increase(second, get(strideBytes)),
          increase(target, i32.const(4 * width)),
          increase(term, i32.const(1)),
        ]),
        increase(from, i32.const(2 * eightBytes)),
        increase(to, i32.const(2 * EIGHT_LINES)),
        leave(lines, 16),
      ]),
    ]
  })

/** Where four of eight lines of a term are, from where the strip of the first of them begins at term 0. */
const packedOffset = (width: 4 | 8, term: number, group: number): number =>
  width === 8 ? 32 * term + 16 * group : 16 * term + 16 * PRODUCT_DEPTH * group

const leave = (lines: Local<'i32'>, done: number): Statement =>
  set(lines, select(i32.add(get(lines), i32.const(-done)), i32.const(0), i32.lt_u(i32.const(done), get(lines))))

function createKeeper(scope: FunctionScope): (emit: (keep: Keep) => readonly Statement[]) => readonly Statement[] {
  const temporaries: Local<'v128'>[] = []
  return (emit) => {
    let used = 0
    const before: Statement[] = []
    const after = emit((value) => {
      const local = (temporaries[used++] ??= scope.local('v128'))
      before.push(set(local, value))
      return get(local)
    })
    return [...before, ...after]
  }
}

const interleave = (a: Vector, b: Vector, from: 0 | 8): Vector =>
  i8x16.shuffle(
    a,
    b,
    [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23].map((byte) => byte + from),
  )
const join = (a: Vector, b: Vector, from: 0 | 8): Vector =>
  i8x16.shuffle(
    a,
    b,
    [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23].map((byte) => byte + from),
  )

/** Turns four vectors of four: lane i of vector j becomes lane j of vector i. */
function transposeFour(vectors: readonly Vector[], keep: Keep): Vector[] {
  const [a, b, c, d] = vectors as [Vector, Vector, Vector, Vector]
  return ([0, 8] as const).flatMap((from) => {
    const [ab, cd] = [keep(interleave(a, b, from)), keep(interleave(c, d, from))]
    return [join(ab, cd, 0), join(ab, cd, 8)]
  })
}
