import type { StreamedTensors, TensorStreams } from '@mk/merge'
import type { TensorSource } from '@mk/source'
import { count, type Expression, mul, quickSum, type Reduction } from '@mk/tensor'
import { lower } from '@mk/tensor/runtime'
import { gramEntries, type GramSums, viewGram, viewMeasured, withTensors } from './gram-sums.ts'
import { isFinite, maskedInputs, plainInputs } from './masked.ts'
import { SAMPLE_GROUPS, type SampledBlock, unreadFactor } from './sample-blocks.ts'
import { isRounding, remeasure, scaled, unscaled, type Vector } from './scales.ts'
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

/** Measures tensors against the first of them: in one pass, if all is finite and nothing too small or too large for it. */
export function measureGram(streams: TensorStreams, { sources, shape, withSigns }: GramRequest): Promise<Gram> {
  return streams.read({ sources, shape }, async (tensors) => {
    const { elementCount } = tensors
    const size = sources.length
    const measure = (vectors: readonly Vector[]) => measureVectors(tensors, vectors, withSigns)
    let inputs = plainInputs(size)
    let found = await measure(vectorsOf(inputs))
    let nonFinite = inputs.map(() => 0)
    if (!isFiniteThroughout(found)) {
      const counts = inputs.map((value) => count(isFinite(value)))
      nonFinite = Array.from(await reduce(tensors, counts), (finite) => elementCount - finite)
      if (nonFinite.some((ofTensor) => ofTensor > 0)) {
        inputs = maskedInputs(size)
        found = await measure(vectorsOf(inputs))
      }
    }
    const squaresOf = (sums: Float64Array) => diagonalOf(viewMeasured(sums, size, withSigns).products)
    found = await remeasure(tensors, { vectors: vectorsOf(inputs), measure, squaresOf, found })
    const values = withTensors(found, size, withSigns)
    if (isAnyLost(viewGram(values, size, withSigns))) values.set(await measureTensors(tensors, inputs), found.length)
    return { elementCount, readElements: elementCount, replicates: [], values, nonFinite }
  })
}

/** The first tensor, and the differences of the others to it. */
const vectorsOf = ([first, ...others]: readonly Expression[]): Vector[] => [
  { value: first! },
  ...others.map((value) => ({ value, less: first! })),
]

const diagonalOf = (matrix: readonly (readonly number[])[]): number[] => matrix.map((row, i) => row[i]!)

/** Whether a tensor is so much smaller than the first one that little of it is left in the difference. */
const isAnyLost = ({ products, ofTensors }: GramSums): boolean =>
  diagonalOf(ofTensors).some((square, i) => i > 0 && isRounding(square, products[0]![0]!, products[i]![i]!))

async function measureVectors(tensors: StreamedTensors, vectors: readonly Vector[], withSigns: boolean) {
  const found = await reduce(tensors, gramReductions(vectors, withSigns))
  let next = 0
  for (const { i, j, hasSigns } of gramEntries(vectors.length, withSigns)) {
    found[next] = unscaled(found[next]!, vectors[i]!, vectors[j]!)
    next += hasSigns ? 3 : 1
  }
  return found
}

/** Measures the tensors themselves, where that doesn't follow from their differences. @returns in the order in which it would follow */
async function measureTensors(tensors: StreamedTensors, inputs: readonly Expression[]): Promise<Float64Array> {
  const entries = gramEntries(inputs.length, false)
  const vectors = [
    ...inputs.map((value): Vector => ({ value })),
    ...entries.map(({ i, j }): Vector => ({ value: inputs[i]!, less: inputs[j]! })),
  ]
  const measure = async (each: readonly Vector[]) => {
    const pairs = entries.flatMap(({ i, j }, index) => {
      const apart = each[inputs.length + index]!
      return [
        [each[i]!, each[j]!],
        [apart, apart],
      ] as const
    })
    const sums = await reduce(
      tensors,
      pairs.map(([a, b]) => quickSum(mul(scaled(a), scaled(b)))),
    )
    return sums.map((sum, index) => unscaled(sum, ...pairs[index]!))
  }
  const squaresOf = (sums: Float64Array) => [
    ...inputs.map((_, i) => sums[2 * entries.findIndex((entry) => entry.i === i && entry.j === i)]),
    ...entries.map(({ i, j }, index) => (i === j ? undefined : sums[2 * index + 1])),
  ]
  return remeasure(tensors, { vectors, measure, squaresOf, found: await measure(vectors) })
}

/** Estimates the same from some of their blocks. @returns undefined where something is not finite, so that only all of them can tell */
export function estimateGram(
  streams: TensorStreams,
  { sources, shape, withSigns }: GramRequest,
  blocks: readonly SampledBlock[],
): Promise<Gram | undefined> {
  return streams.read({ sources, shape }, async (tensors) => {
    const reductions = gramReductions(vectorsOf(plainInputs(sources.length)), withSigns)
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
    const complete = (sums: Float64Array) => withTensors(sums, sources.length, withSigns)
    return {
      elementCount,
      readElements,
      values: complete(values),
      replicates: replicates.map(complete),
      nonFinite: sources.map(() => 0),
    }
  })
}

/** Estimates by how much a figure is off, as a standard deviation, from what the replicates give (the jackknife of groups). */
export const standardError = (figure: number, ofReplicates: readonly number[]): number =>
  Math.sqrt((ofReplicates.reduce((sum, other) => sum + (other - figure) ** 2, 0) * (SAMPLE_GROUPS - 1)) / SAMPLE_GROUPS)

type Sum = Reduction & { readonly per: 'tensor' }

function gramReductions(vectors: readonly Vector[], withSigns: boolean): Sum[] {
  const factors = vectors.map(scaled)
  const enlarged = vectors.map(({ value, less }) => enlarge(scaled({ value, less })))
  return gramEntries(vectors.length, withSigns).flatMap(({ i, j, hasSigns }): Sum[] => {
    const product = quickSum(mul(factors[i]!, factors[j]!))
    if (!hasSigns) return [product]
    const { equal, opposite } = countSigns(enlarged[i]!, enlarged[j]!)
    return [product, equal, opposite]
  })
}

async function reduce(tensors: StreamedTensors, reductions: readonly Sum[]): Promise<Float64Array> {
  const found = await tensors.reduce(Object.fromEntries(reductions.map((each, index) => [index, each])))
  return Float64Array.from(reductions, (_, index) => found[index] as number)
}

/** A sum over something that isn't finite isn't either. */
const isFiniteThroughout = (values: Float64Array): boolean => values.every((value) => Number.isFinite(value))
