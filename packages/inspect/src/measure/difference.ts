import type { StreamedTensors, TensorStreams } from '@mk/merge'
import type { TensorSource } from '@mk/source'
import { abs, and, count, type Expression, ge, max, mul, ne, not, or, quickSum, sub } from '@mk/tensor'
import { measureEffectiveRank, type RankSums } from './effective-rank.ts'
import { findThresholds } from './largest-changes.ts'
import { isFinite, maskedInputs, plainInputs } from './masked.ts'
import { countSigns, enlarge } from './signs.ts'

/** What is added up over the elements of two tensors A and B, or of many: float64. */
export interface DifferenceSums {
  readonly elementCount: number
  /** Elements in which they differ. */
  readonly changed: number
  /** Of |B − A|. */
  readonly largest: number
  readonly absolute: number
  /** Σ A², Σ B², Σ A·B, Σ (B − A)². */
  readonly aa: number
  readonly bb: number
  readonly ab: number
  readonly dd: number
  /** Elements that are infinite or NaN; they count as 0 above. */
  readonly nonFiniteA: number
  readonly nonFiniteB: number
  /** Of both to a base C, where there is one. */
  readonly changes?: ChangeSums
  /** Of B − A, where it is asked for. */
  readonly ranks?: RankSums
}

/** What is added up over the changes A − C and B − C. */
interface ChangeSums {
  /** Σ C², Σ (A − C)², Σ (B − C)², Σ (A − C)·(B − C). */
  readonly cc: number
  readonly aa: number
  readonly bb: number
  readonly ab: number
  /** Elements that both change, and of those the ones that they change in opposite directions. */
  readonly both: number
  readonly conflicts: number
  /** Elements among the largest changes of A, of B, and of both. */
  readonly largestA: number
  readonly largestB: number
  readonly largestBoth: number
}

/** What to compare. */
export interface DifferenceRequest {
  readonly shape: readonly number[]
  readonly a: TensorSource
  readonly b: TensorSource
  readonly base?: TensorSource | undefined
  /** How many of the elements count as the largest changes, as a share. */
  readonly topShare: number
  /** Measure also how many dimensions B − A uses, where it is a matrix. */
  readonly effectiveRank?: boolean
}

/** Compares two tensors of one shape, and what they change in a third one if there is one: one pass over them, and a sample before. */
export function measureDifference(
  streams: TensorStreams,
  { shape, a, b, base, topShare, effectiveRank = false }: DifferenceRequest,
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
    const found = await reduce(tensors, inputs, thresholds)
    const ranks = effectiveRank ? await measureEffectiveRank(tensors, sub(inputs[1]!, inputs[0]!)) : undefined
    if (isAllFinite(found)) return { ...found, ...(ranks && { ranks }) }
    return withNonFinite(await reduce(tensors, maskedInputs(sources.length), thresholds), tensors)
  })
}

const isAllFinite = ({ aa, dd, changes }: DifferenceSums): boolean =>
  Number.isFinite(aa) && Number.isFinite(dd) && (changes === undefined || Number.isFinite(changes.cc))

async function reduce(
  tensors: StreamedTensors,
  [a, b, c]: readonly Expression[],
  thresholds: readonly number[] | undefined,
): Promise<DifferenceSums> {
  const d = sub(b!, a!)
  const plain = {
    changed: count(ne(a!, b!)),
    largest: max(abs(d)),
    absolute: quickSum(abs(d)),
    aa: quickSum(mul(a!, a!)),
    ad: quickSum(mul(a!, d)),
    dd: quickSum(mul(d, d)),
  }
  if (c === undefined || thresholds === undefined) return asSums(tensors, await tensors.reduce(plain))
  const [ofA, ofB] = [sub(a!, c), sub(b!, c)]
  const [largeA, largeB] = [ge(abs(ofA), thresholds[0]!), ge(abs(ofB), thresholds[1]!)]
  const { equal, opposite } = countSigns(enlarge(ofA), enlarge(ofB))
  const inBase = {
    cc: quickSum(mul(c, c)),
    changeA: quickSum(mul(ofA, ofA)),
    changeB: quickSum(mul(ofB, ofB)),
    changeBoth: quickSum(mul(ofA, ofB)),
    equal,
    opposite,
    largestA: count(largeA),
    largestB: count(largeB),
    largestBoth: count(and(largeA, largeB)),
  }
  const {
    cc,
    equal: agree,
    opposite: conflicts,
    largestA,
    largestB,
    largestBoth,
    changeA,
    changeB,
    changeBoth,
    ...rest
  } = await tensors.reduce({ ...plain, ...inBase })
  const changes = {
    cc,
    aa: changeA,
    bb: changeB,
    ab: changeBoth,
    both: agree + conflicts,
    conflicts,
    largestA,
    largestB,
    largestBoth,
  }
  return { ...asSums(tensors, rest), changes }
}

/** B = A + D: of nearly equal tensors the difference is known more exactly than what it is the difference of. */
const asSums = (
  { elementCount }: StreamedTensors,
  { ad, ...sums }: Record<'changed' | 'largest' | 'absolute' | 'aa' | 'ad' | 'dd', number>,
): DifferenceSums => ({
  elementCount,
  ...sums,
  bb: sums.aa + 2 * ad + sums.dd,
  ab: sums.aa + ad,
  nonFiniteA: 0,
  nonFiniteB: 0,
})

async function withNonFinite(masked: DifferenceSums, tensors: StreamedTensors): Promise<DifferenceSums> {
  const [a, b] = plainInputs(2).map(isFinite)
  const counts = {
    finiteA: count(a!),
    finiteB: count(b!),
    differ: count(or(and(a!, not(b!)), and(b!, not(a!)))),
  }
  const { finiteA, finiteB, differ } = await tensors.reduce(counts)
  return {
    ...masked,
    changed: masked.changed + differ,
    nonFiniteA: tensors.elementCount - finiteA,
    nonFiniteB: tensors.elementCount - finiteB,
  }
}

const noChanges: ChangeSums = {
  cc: 0,
  aa: 0,
  bb: 0,
  ab: 0,
  both: 0,
  conflicts: 0,
  largestA: 0,
  largestB: 0,
  largestBoth: 0,
}

/** What a tensor without elements gives. */
const nothing = (hasBase: boolean): DifferenceSums => ({
  elementCount: 0,
  changed: 0,
  largest: 0,
  absolute: 0,
  aa: 0,
  bb: 0,
  ab: 0,
  dd: 0,
  nonFiniteA: 0,
  nonFiniteB: 0,
  ...(hasBase && { changes: noChanges }),
})

/** Adds up what was found in several tensors. */
export function addDifferences(all: readonly DifferenceSums[], hasBase: boolean): DifferenceSums {
  return all.reduce((total, { changes, ranks, largest, ...sums }) => {
    const merged = {
      ...addEach(total, sums),
      largest: Math.max(total.largest, largest),
      ...(ranks && { ranks: total.ranks === undefined ? ranks : addEach(total.ranks, ranks) }),
    }
    return total.changes === undefined || changes === undefined
      ? merged
      : { ...merged, changes: addEach(total.changes, changes) }
  }, nothing(hasBase))
}

const addEach = <T extends object>(total: T, part: object): T => ({
  ...total,
  ...Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key, (total as Record<string, number>)[key]! + (value as number)]),
  ),
})
