import { openStreams, type PoolSettings, type TensorStreams, usefulThreads } from '@mk/merge'
import { dtypeBytes, elementCount, isSameShape } from '@mk/safetensors'
import { InspectError } from '../errors.ts'
import { describeDifference } from '../measure/describe-difference.ts'
import { type DifferenceRequest, measureDifference } from '../measure/difference.ts'
import { addDifferences, type DifferenceSums } from '../measure/difference-sums.ts'
import { forEachAtOnce } from '../measure/for-each-at-once.ts'
import { pairTensors, type TensorPair, type TensorPlace } from './pair-tensors.ts'
import type { PreparedDiff } from './prepare-diff.ts'
import type { DiffCell, ModelDiff, TensorDiff } from './model-diff.ts'
import { judgeDiff } from './verdict.ts'

/** How models are compared, and who is told how far it is. */
export interface DiffOptions extends PoolSettings {
  /** How many of the elements count as the largest changes, as a share; a hundredth if absent. */
  readonly topShare?: number
  /** Measure how many dimensions the difference of each matrix uses, which takes another pass and a decomposition; by default false. */
  readonly effectiveRank?: boolean
  readonly onProgress?: (progress: InspectionProgress) => void
  readonly signal?: AbortSignal
}

/** How far an inspection is, in bytes that are read. */
export interface InspectionProgress {
  readonly doneBytes: number
  readonly totalBytes: number
  readonly doneTensors: number
  readonly tensorCount: number
}

/**
 * Compares two models tensor by tensor, each read once. The same numbers for any count of threads.
 * @throws InspectError 'diff-nothing'; SourceError where weights can't be read; the reason of `signal`
 */
export async function diffModels({ inputs, places }: PreparedDiff, options: DiffOptions = {}): Promise<ModelDiff> {
  const { threads, topShare = 0.01, effectiveRank = false, ...settings } = options
  const pairs = pairTensors(inputs, places)
  const comparable = pairs.filter((pair) => stateOf(pair) === 'compared')
  const label = (index: number) => inputs.labels[index]!
  const models = {
    a: label(places.a),
    b: label(places.b),
    ...(places.base !== undefined && { base: label(places.base) }),
  }
  if (comparable.length === 0) throw new InspectError({ code: 'diff-nothing', ...models })
  const streams = await openStreams({
    ...settings,
    ...threadsFor(
      comparable.map(({ a }) => a!),
      threads,
    ),
  })
  let found: ReadonlyMap<TensorPair, DifferenceSums>
  try {
    found = await measureAll(streams, comparable, { topShare, effectiveRank }, options)
  } finally {
    await streams.close()
  }
  const hasBase = places.base !== undefined
  const tensors = pairs.map((pair) => describePair(pair, found.get(pair)))
  const total = describeDifference(addDifferences([...found.values()].filter(hasChanges(hasBase)), hasBase))
  const whole = hasBase
    ? { ...describeDifference(addDifferences([...found.values()], false)), changes: total.changes! }
    : total
  return {
    models,
    total: whole,
    tensors,
    cells: gatherCells(found),
    kinds: gatherCells(found, withoutLayer),
    verdict: judgeDiff(models, whole, tensors),
  }
}

const hasChanges =
  (hasBase: boolean) =>
  ({ changes }: DifferenceSums): boolean =>
    !hasBase || changes !== undefined

/** Fewer threads where there is less than a start's worth for each to do. */
export const threadsFor = (
  tensors: readonly { readonly shape: readonly number[] }[],
  most: number | undefined,
): { readonly threads?: number } => (most === undefined ? {} : { threads: usefulThreads({ tensors }, most) })

async function measureAll(
  streams: TensorStreams,
  pairs: readonly TensorPair[],
  measured: Pick<DifferenceRequest, 'topShare' | 'effectiveRank'>,
  { onProgress, signal }: DiffOptions,
): Promise<ReadonlyMap<TensorPair, DifferenceSums>> {
  const found = new Map<TensorPair, DifferenceSums>()
  const bytesOf = ({ a, b, base }: TensorPair) =>
    [a, b, base].reduce((sum, source) => sum + (source ? elementCount(source.shape) * dtypeBytes(source.dtype) : 0), 0)
  const totalBytes = pairs.reduce((sum, pair) => sum + bytesOf(pair), 0)
  let [doneBytes, doneTensors] = [0, 0]
  await forEachAtOnce(pairs, { atOnce: streams.size + 1, signal }, async (pair) => {
    const { a, b, base } = pair
    const request = { shape: a!.shape, a: a!, b: b!, ...measured }
    const isAlike = base !== undefined && isSameShape(base.shape, a!.shape)
    found.set(pair, await measureDifference(streams, { ...request, ...(isAlike && { base }) }))
    doneBytes += bytesOf(pair)
    onProgress?.({ doneBytes, totalBytes, doneTensors: ++doneTensors, tensorCount: pairs.length })
  })
  return new Map(pairs.map((pair) => [pair, found.get(pair)!]))
}

function stateOf({ a, b }: TensorPair): TensorDiff['state'] {
  if (a === undefined) return 'only-b'
  if (b === undefined) return 'only-a'
  return isSameShape(a.shape, b.shape) ? 'compared' : 'other-shape'
}

function describePair(pair: TensorPair, sums: DifferenceSums | undefined): TensorDiff {
  const { name, place, a, b, base } = pair
  return {
    name,
    ...place,
    state: stateOf(pair),
    shape: { ...(a && { a: a.shape }), ...(b && { b: b.shape }), ...(base && { base: base.shape }) },
    dtype: { ...(a && { a: a.dtype }), ...(b && { b: b.dtype }), ...(base && { base: base.dtype }) },
    ...(sums && { difference: describeDifference(sums) }),
  }
}

const withoutLayer = ({ module, kind }: TensorPlace): TensorPlace => ({ ...(module !== undefined && { module }), kind })

function gatherCells(
  found: ReadonlyMap<TensorPair, DifferenceSums>,
  placeOf = (place: TensorPlace): TensorPlace => place,
): DiffCell[] {
  const cells = new Map<string, { readonly place: TensorPlace; readonly sums: DifferenceSums[] }>()
  for (const [pair, sums] of found) {
    const place = placeOf(pair.place)
    const key = JSON.stringify(place)
    const cell = cells.get(key) ?? { place, sums: [] }
    cells.set(key, cell)
    cell.sums.push(sums)
  }
  return [...cells.values()].map(({ place, sums }) => ({
    ...place,
    difference: describeDifference(
      addDifferences(
        sums,
        sums.every(({ changes }) => changes !== undefined),
      ),
    ),
  }))
}
