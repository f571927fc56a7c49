import type { StreamedTensors } from '@mk/merge'
import type { Dtype } from '@mk/safetensors'
import { abs, type Expression } from '@mk/tensor'
import { type ElementRange, lower, planChunks, rangeElements } from '@mk/tensor/runtime'

/** Tensors up to this size are looked at as a whole, of larger ones as many elements. */
const SAMPLE_ELEMENTS = 2 ** 18
const PIECE_ELEMENTS = 2 ** 11
/** A bin for each float32 that a bfloat16 is. */
const SHIFT = 16
const BINS = 0x7f80

/**
 * Estimates from which magnitude on an element is among the largest.
 * @param share of all elements, such as 0.01
 * @returns for each value a float32 above 0, rounded down to eight significant bits
 */
export async function findThresholds(
  tensors: StreamedTensors,
  values: readonly Expression[],
  { share, dtypes }: { readonly share: number; readonly dtypes: readonly Dtype[] },
): Promise<number[]> {
  const histograms = values.map((value) => ({ value: abs(value), bins: BINS, lo: 0, shift: SHIFT }))
  const ranges = sampleRanges(tensors.elementCount)
  const most = share * rangeElements(ranges)
  const counts = await tensors.count(lower({ histograms }, dtypes), ranges)
  return counts.map((bins) => {
    // Behind the bins: those below the first, then those past the last.
    let [bin, above] = [BINS, bins[BINS + 1]!]
    while (bin > 0 && above < most) above += bins[--bin]!
    return floatOf(bin === 0 ? 1 : bin << SHIFT)
  })
}

/** Pieces spread evenly over a tensor, at another place in each of its rows. */
function sampleRanges(elementCount: number): readonly ElementRange[] {
  if (elementCount <= SAMPLE_ELEMENTS) return planChunks(elementCount, elementCount)
  const pieces = SAMPLE_ELEMENTS / PIECE_ELEMENTS
  const stratum = elementCount / pieces
  return Array.from({ length: pieces }, (_, index) => {
    const start = Math.floor(index * stratum + ((index * 0.618034) % 1) * (stratum - PIECE_ELEMENTS))
    return { start, end: start + PIECE_ELEMENTS }
  })
}

const floatOf = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0]!
