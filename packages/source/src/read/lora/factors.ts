import { elementCount } from '@mk/safetensors'
import type { LoraSource, TensorSource } from '../../tensor-source.ts'
import type { ElementReader } from '../elements/element-reader.ts'
import { stepElements } from '../elements/scratch.ts'

/** W's change as left · right: `left` has a row of `rank` per row of W, `right` a column of `rank` per column of W. */
export interface Factors {
  readonly rank: number
  readonly left: Factor
  readonly right: Factor
}

/** One of the two matrices, stored with the rank first ([rank, n]) or last ([n, rank]). */
export interface Factor {
  readonly source: TensorSource
  readonly rank: number
  readonly rankFirst: boolean
}

/** Tells which of A [r, in] and B [out, r] stands on which side. */
export function factorsOf({ a, b, transposed }: LoraSource): Factors {
  const rank = a.shape[0]!
  const ofA: Factor = { source: a, rank, rankFirst: true }
  const ofB: Factor = { source: b, rank, rankFirst: false }
  return { rank, ...(transposed ? { left: ofA, right: ofB } : { left: ofB, right: ofA }) }
}

/** Reads [from, to) of a factor's n as [rank, to − from], whatever is stored. */
export function readRankFirst(
  elements: ElementReader,
  factor: Factor,
  from: number,
  to: number,
  into: Float32Array,
): void {
  const { source, rank, rankFirst } = factor
  const count = to - from
  if (rankFirst) {
    const length = elementCount(source.shape) / rank
    for (let k = 0; k < rank; k++)
      elements.readFloats(source, k * length + from, into.subarray(k * count, (k + 1) * count))
  } else {
    eachFloat(elements, source, from * rank, count * rank, (value, i) => {
      into[(i % rank) * count + Math.floor(i / rank)] = value
    })
  }
}

/** Reads [from, to) of a factor's n as [to − from, rank], whatever is stored. */
export function readRankLast(
  elements: ElementReader,
  factor: Factor,
  from: number,
  to: number,
  into: Float32Array,
): void {
  const { source, rank, rankFirst } = factor
  if (!rankFirst) return elements.readFloats(source, from * rank, into)
  const length = elementCount(source.shape) / rank
  for (let k = 0; k < rank; k++) {
    eachFloat(elements, source, k * length + from, to - from, (value, n) => {
      into[n * rank + k] = value
    })
  }
}

function eachFloat(
  { readFloats, scratch }: ElementReader,
  source: TensorSource,
  start: number,
  count: number,
  use: (value: number, index: number) => void,
): void {
  for (let done = 0; done < count; done += stepElements) {
    scratch.withFloats(Math.min(stepElements, count - done), (values) => {
      readFloats(source, start + done, values)
      for (let i = 0; i < values.length; i++) use(values[i]!, done + i)
    })
  }
}
