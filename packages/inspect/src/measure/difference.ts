import type { StreamedTensors, TensorStreams } from '@mk/merge'
import type { TensorSource } from '@mk/source'
import { abs, and, count, type Expression, ge, max, mul, ne, not, or, quickSum, sub } from '@mk/tensor'
import { type DifferenceSums, nothing } from './difference-sums.ts'
import { measureEffectiveRank } from './effective-rank.ts'
import { findThresholds } from './largest-changes.ts'
import { isFinite, maskedInputs, plainInputs } from './masked.ts'
import { isRounding, remeasure, scaled, unscaled, type Vector } from './scales.ts'
import { countSigns, enlarge } from './signs.ts'

/** What to compare. */
export interface DifferenceRequest {
  readonly shape: readonly number[]
  readonly a: TensorSource
  readonly b: TensorSource
  readonly base?: TensorSource | undefined
  /** How many of the elements count as the largest changes, as a share. */
  readonly topShare: number
  /** Measure also how many dimensions B − A uses, where it is a matrix. */
  readonly effectiveRank: boolean
}

/** Compares two tensors of one shape, and what they change in a third one if there is one: one pass over them, and a sample before. */
export function measureDifference(
  streams: TensorStreams,
  { shape, a, b, base, topShare, effectiveRank }: DifferenceRequest,
): Promise<DifferenceSums> {
  const sources = base === undefined ? [a, b] : [a, b, base]
  return streams.read({ sources, shape }, async (tensors) => {
    if (tensors.elementCount === 0) return nothing(base !== undefined)
    const dtypes = tensors.inputDtypes
    const inputs = plainInputs(sources.length)
    const thresholds =
      base === undefined
        ? undefined
        : await findThresholds(tensors, [sub(inputs[0]!, inputs[2]!), sub(inputs[1]!, inputs[2]!)], {
            share: topShare,
            dtypes,
          })
    const measure = (each: DifferenceVectors) => reduce(tensors, each, thresholds)
    let vectors = vectorsOf(inputs)
    let found = await measure(vectors)
    let nonFinite: NonFinite | undefined
    if (!isAllFinite(found)) {
      nonFinite = await countNonFinite(tensors)
      if (nonFinite.any > 0) {
        vectors = vectorsOf(maskedInputs(sources.length))
        found = await measure(vectors)
      }
    }
    found = await remeasure(tensors, { vectors, measure, squaresOf, found })
    if (isRounding(found.bb, found.aa, found.dd)) found = { ...found, ...(await measureSmall(tensors, vectors)) }
    const ranks = effectiveRank ? await measureEffectiveRank(tensors, sub(inputs[1]!, inputs[0]!)) : undefined
    return {
      ...found,
      ...(ranks && { ranks }),
      ...(nonFinite && {
        changed: found.changed + nonFinite.differ,
        nonFiniteA: nonFinite.a,
        nonFiniteB: nonFinite.b,
      }),
    }
  })
}

const isAllFinite = ({ aa, dd, changes }: DifferenceSums): boolean =>
  Number.isFinite(aa) && Number.isFinite(dd) && (changes === undefined || Number.isFinite(changes.cc))

/** A, B − A, and where there is a base C also C, A − C and B − C. */
type DifferenceVectors = readonly Vector[]

const vectorsOf = ([a, b, c]: readonly Expression[]): DifferenceVectors => [
  { value: a! },
  { value: b!, less: a! },
  ...(c === undefined ? [] : [{ value: c }, { value: a!, less: c }, { value: b!, less: c }]),
]

const squaresOf = ({ aa, dd, changed, changes }: DifferenceSums) => [
  aa,
  changed === 0 ? undefined : dd,
  ...(changes === undefined ? [] : [changes.cc, changes.aa, changes.bb]),
]

/** Measures B itself, which is so much smaller than A that little of it is left in B − A. */
async function measureSmall(
  tensors: StreamedTensors,
  [a, d]: DifferenceVectors,
): Promise<Pick<DifferenceSums, 'bb' | 'ab'>> {
  const vectors: DifferenceVectors = [{ value: a!.value }, { value: d!.value }]
  const measure = async ([large, small]: DifferenceVectors) => {
    const [x, y] = [scaled(large!), scaled(small!)]
    const found = await tensors.reduce({ aa: quickSum(mul(x, x)), ab: quickSum(mul(x, y)), bb: quickSum(mul(y, y)) })
    return {
      aa: unscaled(found.aa, large!, large!),
      ab: unscaled(found.ab, large!, small!),
      bb: unscaled(found.bb, small!, small!),
    }
  }
  const { ab, bb } = await remeasure(tensors, {
    vectors,
    measure,
    squaresOf: (found) => [found.aa, found.bb],
    found: await measure(vectors),
  })
  return { ab, bb }
}

async function reduce(
  tensors: StreamedTensors,
  [ofA, ofD, ofC, changeOfA, changeOfB]: DifferenceVectors,
  thresholds: readonly number[] | undefined,
): Promise<DifferenceSums> {
  const [a, d] = [scaled(ofA!), scaled(ofD!)]
  const plain = {
    changed: count(ne(ofA!.value, ofD!.value)),
    largest: max(abs(d)),
    absolute: quickSum(abs(d)),
    aa: quickSum(mul(a, a)),
    ad: quickSum(mul(a, d)),
    dd: quickSum(mul(d, d)),
  }
  const asSums = ({ changed, ...found }: Record<keyof typeof plain, number>) => {
    const [aa, ad, dd] = [
      unscaled(found.aa, ofA!, ofA!),
      unscaled(found.ad, ofA!, ofD!),
      unscaled(found.dd, ofD!, ofD!),
    ]
    // B = A + D: of nearly equal tensors the difference is known more exactly than what it is the difference of.
    const [bb, ab] = [aa + 2 * ad + dd, aa + ad]
    const [largest, absolute] = [unscaled(found.largest, ofD!), unscaled(found.absolute, ofD!)]
    return {
      elementCount: tensors.elementCount,
      changed,
      largest,
      absolute,
      aa,
      bb,
      ab,
      dd,
      nonFiniteA: 0,
      nonFiniteB: 0,
    }
  }
  if (ofC === undefined || thresholds === undefined) return asSums(await tensors.reduce(plain))
  const [c, changeA, changeB] = [scaled(ofC), scaled(changeOfA!), scaled(changeOfB!)]
  const [wholeA, wholeB] = [scaled({ ...changeOfA!, scale: 1 }), scaled({ ...changeOfB!, scale: 1 })]
  const [largeA, largeB] = [ge(abs(wholeA), thresholds[0]!), ge(abs(wholeB), thresholds[1]!)]
  const inBase = {
    cc: quickSum(mul(c, c)),
    changeA: quickSum(mul(changeA, changeA)),
    changeB: quickSum(mul(changeB, changeB)),
    changeBoth: quickSum(mul(changeA, changeB)),
    ...countSigns(enlarge(wholeA), enlarge(wholeB)),
    largestA: count(largeA),
    largestB: count(largeB),
    largestBoth: count(and(largeA, largeB)),
  }
  const found = await tensors.reduce({ ...plain, ...inBase })
  const changes = {
    cc: unscaled(found.cc, ofC, ofC),
    aa: unscaled(found.changeA, changeOfA!, changeOfA!),
    bb: unscaled(found.changeB, changeOfB!, changeOfB!),
    ab: unscaled(found.changeBoth, changeOfA!, changeOfB!),
    both: found.equal + found.opposite,
    conflicts: found.opposite,
    largestA: found.largestA,
    largestB: found.largestB,
    largestBoth: found.largestBoth,
  }
  return { ...asSums(found), changes }
}

/** Elements that aren't finite in A, in B, in only one of them, and in any of the inputs. */
interface NonFinite {
  readonly a: number
  readonly b: number
  readonly differ: number
  readonly any: number
}

async function countNonFinite(tensors: StreamedTensors): Promise<NonFinite> {
  const inputs = plainInputs(tensors.inputDtypes.length).map(isFinite)
  const [a, b] = inputs
  const counts = {
    a: count(not(a!)),
    b: count(not(b!)),
    differ: count(or(and(a!, not(b!)), and(b!, not(a!)))),
    any: count(not(inputs.reduce(and))),
  }
  return tensors.reduce(counts)
}
