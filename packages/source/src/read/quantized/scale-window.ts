import type { DequantizedSource, TensorSource } from '../../tensor-source.ts'
import type { ElementReader } from '../elements/element-reader.ts'
import { stepElements } from '../elements/scratch.ts'

/** Scales codes in place, the first of which is element `start`. */
export type Scale = (source: DequantizedSource, start: number, values: Float32Array) => void

/** Scales, zeros and biases of consecutive blocks; zeros are 0 where there are none. */
export interface ScaleWindow {
  readonly scales: Float32Array
  readonly zeros: Float32Array
  readonly biases: Float32Array | undefined
  /** Reads those of blocks from `firstBlock` on, `count` of them. */
  load(firstBlock: number, count: number): void
}

/** Three numbers of each fit a block of working memory. */
const mostBlocks = stepElements / 2

/** Tells how many blocks a window holds at most, of the `wanted` ones. */
export const windowBlocks = (wanted: number): number => Math.min(wanted, mostBlocks)

/** Lends a window of `size` blocks for the time of the call. */
export function withScaleWindow(
  { readFloats, scratch }: ElementReader,
  { scale, zero, bias }: DequantizedSource,
  size: number,
  use: (window: ScaleWindow) => void,
): void {
  scratch.withFloats(3 * size, (floats) => {
    const [scales, zeros, biases] = [0, 1, 2].map((part) => floats.subarray(part * size, (part + 1) * size)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    zeros.fill(0)
    if (typeof scale === 'number') scales.fill(scale)
    if (typeof bias === 'number') biases.fill(bias)
    const read = (source: TensorSource | number | undefined, first: number, into: Float32Array): void => {
      if (typeof source === 'object') readFloats(source, first, into)
    }
    use({
      scales,
      zeros,
      biases: bias === undefined ? undefined : biases,
      load(firstBlock, count) {
        read(scale, firstBlock, scales.subarray(0, count))
        read(zero, firstBlock, zeros.subarray(0, count))
        read(bias, firstBlock, biases.subarray(0, count))
      },
    })
  })
}
