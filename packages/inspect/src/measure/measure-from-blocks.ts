import type { TensorStreams } from '@mk/merge'
import { estimateGram, type Gram, type GramRequest, measureGram, standardError } from './gram.ts'
import { viewGram } from './gram-sums.ts'
import { areHeld } from './scales.ts'
import type { SampledBlock } from './sample-blocks.ts'

/** Of a squared norm: an estimate that may be off by more is none to tell. */
const MOST_ERROR = 0.2

/**
 * Measures tensors by some of their blocks, or by all where those say too little: where something isn't finite, where two tensors are
 * equal as far as was read, so that the rest decides whether they are, where float32 can't hold squares, and where blocks differ so much
 * that a squared norm may be off by a fifth.
 */
export async function measureFromBlocks(
  streams: TensorStreams,
  request: GramRequest,
  blocks: readonly SampledBlock[],
): Promise<Gram> {
  const estimate = await estimateGram(streams, request, blocks)
  return estimate !== undefined && isEnough(estimate, request) ? estimate : measureGram(streams, request)
}

function isEnough({ values, replicates, elementCount }: Gram, { sources, withSigns }: GramRequest): boolean {
  const squares = (sums: Float64Array) => squaredNorms(sums, sources.length, withSigns)
  const others = replicates.map(squares)
  return squares(values).every(
    (square, index) =>
      areHeld(square, elementCount) &&
      standardError(
        square,
        others.map((each) => each[index]!),
      ) <=
        MOST_ERROR * square,
  )
}

/** Σ of the squares of the reference, and of how far any two tensors are apart. */
function squaredNorms(values: Float64Array, size: number, withSigns: boolean): number[] {
  const { products, apart } = viewGram(values, size, withSigns)
  return [products[0]![0]!, ...apart.flatMap((row, i) => row.slice(0, i))]
}
