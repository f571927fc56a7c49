import type { StreamedTensors, TensorStreams } from '@mk/merge'
import type { TensorSource } from '@mk/source'
import { count, type Expression, mul, quickSum, type Reduction, sub } from '@mk/tensor'
import { lower } from '@mk/tensor/runtime'
import { isFinite, maskedInputs, plainInputs } from './masked.ts'
import { SAMPLE_GROUPS, type SampledBlock, unreadFactor } from './sample-blocks.ts'
import { countSigns, enlarge } from './signs.ts'

/** Tensors of one shape, which are measured against the first of them. */
export interface GramRequest {
  readonly sources: readonly TensorSource[]
  readonly shape: readonly number[]
  /** Whether differences are changes of a base, whose signs matter. */
  readonly withSigns: boolean
}

/** What is added up over the elements of several tensors, or estimated of it. */
export interface Gram {
  readonly elementCount: number
  /** The elements that were read: fewer where it is an estimate. */
  readonly readElements: number
  /** In an order that `viewGram` knows. */
  readonly values: Float64Array
  /** Of an estimate: others, each without a group of what was read. Their spread tells how far off it may be (`standardError`). */
  readonly replicates: readonly Float64Array[]
  /** Elements that are infinite or NaN, by tensor; they count as 0 in all sums. An estimate is of tensors in which none was read. */
  readonly nonFinite: readonly number[]
}

/**
 * The sums by what they are of: of the first tensor, the reference, and of the differences of the others to it, since those are known
 * more exactly than they would follow from products of the tensors themselves.
 */
export interface GramSums {
  /** Σ of the products of any two of: reference, difference 1, difference 2, …; a symmetric matrix. */
  readonly products: readonly (readonly number[])[]
  /** For any two differences: the elements in which neither is 0, and of those the ones in which their signs differ; symmetric, in this order. */
  readonly both: readonly (readonly number[])[]
  readonly conflicts: readonly (readonly number[])[]
}

/** Measures tensors against the first of them, in one pass. */
export function measureGram(streams: TensorStreams, { sources, shape, withSigns }: GramRequest): Promise<Gram> {
  return streams.read({ sources, shape }, async (tensors) => {
    const { elementCount } = tensors
    const whole = { elementCount, readElements: elementCount, replicates: [] }
    const values = await reduce(tensors, gramReductions(plainInputs(sources.length), withSigns))
    if (isFiniteThroughout(values)) return { ...whole, values, nonFinite: sources.map(() => 0) }
    const masked = await reduce(tensors, gramReductions(maskedInputs(sources.length), withSigns))
    const finite = await reduce(
      tensors,
      plainInputs(sources.length).map((value) => count(isFinite(value))),
    )
    return { ...whole, values: masked, nonFinite: sources.map((_, index) => elementCount - finite[index]!) }
  })
}

/** Estimates the same from some of their blocks. @returns undefined where something is not finite, so that only all of them can tell */
export function estimateGram(
  streams: TensorStreams,
  { sources, shape, withSigns }: GramRequest,
  blocks: readonly SampledBlock[],
): Promise<Gram | undefined> {
  return streams.read({ sources, shape }, async (tensors) => {
    const reductions = gramReductions(plainInputs(sources.length), withSigns)
    const found = await tensors.each(
      lower({ reductions }, tensors.inputDtypes),
      blocks.map(({ range }) => range),
    )
    const groups = Array.from({ length: SAMPLE_GROUPS }, () => new Float64Array(reductions.length))
    const standsFor = new Float64Array(SAMPLE_GROUPS)
    const values = new Float64Array(reductions.length)
    let readElements = 0
    for (const [index, { range, weight, group }] of blocks.entries()) {
      readElements += range.end - range.start
      standsFor[group]! += weight * (range.end - range.start)
      const ofGroup = groups[group]!
      for (let i = 0; i < values.length; i++) {
        const sum = weight * found[index]![i]![0]!
        ofGroup[i]! += sum
        values[i]! += sum
      }
    }
    if (!isFiniteThroughout(values)) return undefined
    // What was read is known, so that only the rest of the tensor adds to the spread.
    const unread = unreadFactor(blocks)
    const { elementCount } = tensors
    const replicates = groups.map((group, of) => {
      // Without a group the others stand for its part, too.
      const share = standsFor[of]! / elementCount
      return values.map((value, i) => value + (unread * (share * value - group[i]!)) / (1 - share))
    })
    return { elementCount, readElements, values, replicates, nonFinite: sources.map(() => 0) }
  })
}

/** Estimates by how much a figure is off, as a standard deviation, from what the replicates give (the jackknife of groups). */
export const standardError = (figure: number, ofReplicates: readonly number[]): number =>
  Math.sqrt((ofReplicates.reduce((sum, other) => sum + (other - figure) ** 2, 0) * (SAMPLE_GROUPS - 1)) / SAMPLE_GROUPS)

/** Gives the sums by what they are of. @param size the number of tensors */
export function viewGram(values: Float64Array, size: number, withSigns: boolean): GramSums {
  const matrix = () => Array.from({ length: size }, () => Array.from({ length: size }, () => 0))
  const [products, both, conflicts] = [matrix(), matrix(), matrix()]
  const set = (of: number[][], i: number, j: number, value: number) => {
    of[i]![j] = value
    of[j]![i] = value
  }
  let next = 0
  for (const { i, j, hasSigns } of entriesOf(size, withSigns)) {
    set(products, i, j, values[next++]!)
    if (!hasSigns) continue
    const [equal, opposite] = [values[next++]!, values[next++]!]
    set(both, i, j, equal + opposite)
    set(conflicts, i, j, opposite)
  }
  return { products, both, conflicts }
}

type Sum = Reduction & { readonly per: 'tensor' }

function gramReductions([first, ...others]: readonly Expression[], withSigns: boolean): Sum[] {
  const vectors = [first!, ...others.map((other) => sub(other, first!))]
  const enlarged = vectors.map(enlarge)
  return entriesOf(vectors.length, withSigns).flatMap(({ i, j, hasSigns }): Sum[] => {
    const product = quickSum(mul(vectors[i]!, vectors[j]!))
    if (!hasSigns) return [product]
    const { equal, opposite } = countSigns(enlarged[i]!, enlarged[j]!)
    return [product, equal, opposite]
  })
}

/** Each two of so many vectors, and whether the signs of both matter. */
const entriesOf = (size: number, withSigns: boolean) =>
  Array.from({ length: size }, (_, i) =>
    Array.from({ length: i + 1 }, (__, j) => ({ i, j, hasSigns: withSigns && j > 0 && i !== j })),
  ).flat()

async function reduce(tensors: StreamedTensors, reductions: readonly Sum[]): Promise<Float64Array> {
  const found = await tensors.reduce(Object.fromEntries(reductions.map((each, index) => [index, each])))
  return Float64Array.from(reductions, (_, index) => found[index] as number)
}

/** A sum over something that isn't finite isn't either. */
const isFiniteThroughout = (values: Float64Array): boolean => values.every((value) => Number.isFinite(value))
