import {
  f32x4,
  get,
  i16x8,
  i32,
  i32x4,
  i8x16,
  type Local,
  set,
  type Statement,
  v128,
  type Vector,
} from '@mk/wasm-encoder'
import type { KeptByRank } from '../analyze-program.ts'
import { type Emission, wordArgument } from '../emission.ts'
import { argument, COMPRESS_HALVES_TABLE } from '../layout.ts'
import { emptySink, increase, type Sink } from '../sink.ts'
import { NOT_A_NUMBER, windowAt } from './keep-layout.ts'

/** Both 16-bit halves of a word. */
const halves = (value: number): Vector => i32x4.const(value | (value << 16))

const SIGNS = halves(0x8000)

/** What a row of masks by rank is made of, before anything is ranked. */
export interface KeepRow {
  readonly sink: Sink
  /** At the start of a row. */
  readonly start: readonly Statement[]
  /** Where the list of undecided elements ends. */
  readonly end: Local<'i32'>
}

/**
 * Writes for each element of a row its magnitude, what was drawn, the place of its counter, and the mask that it has at any rank; lists those
 * that have none, by the leading bits of what was drawn.
 */
export function keepRow(emission: Emission, keep: KeptByRank): KeepRow {
  const { scope, rowLength } = emission
  const [keys, words, bins, masks] = [
    argument.sortKeys,
    argument.drawnWords,
    argument.bins,
    argument.instruction(keep.mask),
  ].map((at, row) => ({
    stream: { pointer: scope.local('i32'), elementBytes: row === 3 ? 2 : 4, rowStart: scope.local('i32') },
    at,
  })) as [Row, Row, Row, Row]
  const rows = [keys, words, bins, masks]
  const end = scope.local('i32')
  const [indices, first, count, low, high] = [
    scope.local('v128'),
    scope.local('v128'),
    scope.local('v128'),
    scope.local('v128'),
    scope.local('v128'),
  ]
  const last = f32x4.convert_i32x4_s(i32x4.splat(i32.sub(get(rowLength), i32.const(1))))
  const [ofFirst, ofLast] = [f32x4.const(0), last].map((rank) => limitAt(emission, keep, rank)) as [Vector, Vector]

  const sink: Sink = {
    ...emptySink,
    uses: keep.magnitude,
    usesToo: [keep.drawn, keep.from, keep.step],
    streams: rows.map(({ stream }) => stream),
    atStart: rows.map(({ stream, at }) => set(stream.rowStart, wordArgument(emission, at))),
    each: ({ groups, inside }) => [
      ...Array.from({ length: groups / 2 }, (_, pair) =>
        emission.withTemporaries((keepValue) => {
          const groupsOfPair = [2 * pair, 2 * pair + 1] as const
          const [a, b] = groupsOfPair.map((group) =>
            keepValue(i32x4.min_s(emission.value(keep.magnitude, group), i32x4.const(NOT_A_NUMBER))),
          ) as [Vector, Vector]
          const drawn = groupsOfPair.map((group) => get(emission.drawnWord(keep.drawn, group))) as [Vector, Vector]
          const isInside = inside && i16x8.narrow_i32x4_s(inside(2 * pair), inside(2 * pair + 1))
          const leading = keepValue(
            v128.xor(
              i16x8.narrow_i32x4_s(i32x4.shr_s(drawn[0], i32.const(16)), i32x4.shr_s(drawn[1], i32.const(16))),
              SIGNS,
            ),
          )
          const isKept = keepValue(i16x8.lt_s(leading, get(low)))
          const isOpen = v128.andnot(i16x8.lt_s(leading, get(high)), isKept)
          const place = keepValue(i16x8.narrow_i32x4_u(placeOf(a), placeOf(b)))
          const inWindow = i16x8.min_u(i16x8.sub_sat_u(place, get(first)), get(count))
          const counter = keepValue(i16x8.add(inWindow, i16x8.min_u(place, halves(1))))
          const offset = keepValue(i16x8.add(counter, counter))
          const undecided = scope.local('i32')
          const index = pair === 0 ? get(indices) : i16x8.add(get(indices), halves(8 * pair))
          return [
            ...[a, b].map((key, half) => v128.store(get(keys.stream.pointer), key, 32 * pair + 16 * half)),
            ...drawn.map((word, half) => v128.store(get(words.stream.pointer), word, 32 * pair + 16 * half)),
            v128.store(get(bins.stream.pointer), i32x4.extend_low_i16x8_u(offset), 32 * pair),
            v128.store(get(bins.stream.pointer), i32x4.extend_high_i16x8_u(offset), 32 * pair + 16),
            v128.store(get(masks.stream.pointer), isKept, 16 * pair),
            set(undecided, i32.shl(i16x8.bitmask(isInside ? v128.and(isOpen, isInside) : isOpen), i32.const(4))),
            v128.store(get(end), i8x16.swizzle(index, v128.load(get(undecided), COMPRESS_HALVES_TABLE))),
            increase(end, i32.shl(i32.popcnt(get(undecided)), i32.const(1))),
          ]
        }),
      ).flat(),
      set(indices, i16x8.add(get(indices), halves(4 * groups))),
    ],
  }
  return {
    sink,
    end,
    start: [
      set(low, leadingLimit(f32x4.floor, f32x4.pmin(ofFirst, ofLast))),
      set(high, leadingLimit(f32x4.ceil, f32x4.pmax(ofFirst, ofLast))),
      set(end, wordArgument(emission, argument.undecided)),
      set(indices, i32x4.const(0x10000, 0x30002, 0x50004, 0x70006)),
      set(first, i16x8.splat(wordArgument(emission, argument.instruction(keep.mask) + windowAt.first))),
      set(count, i16x8.splat(wordArgument(emission, argument.instruction(keep.mask) + windowAt.count))),
    ],
  }
}

interface Row {
  readonly stream: { readonly pointer: Local<'i32'>; readonly elementBytes: number; readonly rowStart: Local<'i32'> }
  readonly at: number
}

/** The share with which a rank is kept. */
const limitAt = ({ value }: Emission, { from, step }: KeptByRank, rank: Vector): Vector =>
  f32x4.add(value(from, 0), f32x4.mul(rank, value(step, 0)))

/** Makes of a limit what the leading 16 bits of words are compared with, in eight lanes of signed integers: one that is as large, or less far. */
const leadingLimit = (round: (limit: Vector) => Vector, limit: Vector): Vector => {
  const bits = i32x4.trunc_sat_f32x4_u(round(f32x4.mul(limit, f32x4.const(2 ** 16))))
  return v128.xor(i16x8.narrow_i32x4_u(bits, bits), SIGNS)
}

/** Orders magnitudes by their upper 16 bits; those whose lower ones are 0 have an even place of their own, which the other ones follow. */
const placeOf = (key: Vector): Vector =>
  i32x4.shr_u(v128.or(key, i32x4.add(v128.and(key, i32x4.const(0x7fff)), i32x4.const(0x7fff))), i32.const(15))
