import { availableParallelism } from 'node:os'
import type { EffectiveRank } from '@mk/linalg'
import type { MethodDefinition } from '@mk/methods'
import { type Dtype, elementCount } from '@mk/safetensors'
import { type TensorSource, withUnroundedRows } from '@mk/source'
import type { DenseMatrix, Session } from '@mk/tensor'
import {
  createSession,
  type ElementRange,
  type KernelResult,
  type Lowered,
  rangeElements,
  type RunStage,
  type Stage,
} from '@mk/tensor/runtime'
import type { MergePlan } from '../plan/merge-plan.ts'
import { kernelWork } from '../run/kernel-work.ts'
import { linalgOn, productsOn } from '../run/matrix-tasks.ts'
import { type RangesRun, runRanges } from '../run/run-ranges.ts'
import { createStageRunner } from '../run/run-stages.ts'
import { openPool, type PoolSettings } from './open-pool.ts'

/** By what tensors are read and computed with, as for a merge. */
export interface StreamSettings extends PoolSettings {
  /** Whose merges of merges the sources name; absent: they name none. */
  readonly plan?: MergePlan
  /** Those that the plan was made with; needed where it has merges of merges. */
  readonly methods?: ReadonlyMap<string, MethodDefinition>
}

/** Some tensors of equal shapes, one for each input slot. */
export interface StreamedTensors extends Session {
  /** What they are read as, by input slot. */
  readonly inputDtypes: readonly Dtype[]
  /**
   * Counts over parts of them, which are read at once.
   * @param lowered a program without rows all of whose results are counts, of at least one range
   * @returns the counts of all ranges together
   */
  count(lowered: Lowered, ranges: readonly ElementRange[]): Promise<KernelResult>
  /**
   * Computes parts of them, each by itself.
   * @param lowered a program without rows that stores nothing
   * @param ranges ascending and disjoint, each at most CHUNK_ELEMENTS long
   * @returns the results of each range, in their order
   */
  each(lowered: Lowered, ranges: readonly ElementRange[]): Promise<readonly KernelResult[]>
  /** Has a thread compute the effective rank of a matrix from its Gram matrix. */
  effectiveRank(gram: DenseMatrix): Promise<EffectiveRank>
}

/** Worker threads that read tensors and reduce over them, in bounded memory; the same numbers for any count of them. */
export interface TensorStreams {
  /** How many threads there are; one tensor more than that at once keeps all of them busy. */
  readonly size: number
  /** Has something asked of tensors that are read for it. */
  read<T>(
    request: {
      /** Of equal element counts, by input slot. */
      readonly sources: readonly TensorSource[]
      readonly shape: readonly number[]
      /** Whether it takes several passes, so that chunks are worth keeping. */
      readonly passes?: boolean
    },
    ask: (tensors: StreamedTensors) => Promise<T>,
  ): Promise<T>
  /** Ends the threads, also in the middle of what they do. */
  close(): Promise<void>
}

/** Opens worker threads for reductions over tensors of checkpoints, or of the inputs of a plan. */
export async function openStreams({
  plan,
  methods = new Map(),
  threads = availableParallelism(),
  ...settings
}: StreamSettings = {}): Promise<TensorStreams> {
  const pool = await openPool({ ...settings, threads })
  const pending = plan === undefined ? [] : [...plan.tensors.keys()]
  const stages = plan?.stages && createStageRunner(plan, pending, { methods, pool })
  let next = 0
  return {
    size: pool.size,
    async read({ sources: stored, shape, passes = false }, ask) {
      const tensor = next++
      const sources = stored.map(withUnroundedRows)
      const merged = (await stages?.worksFor(stored)) ?? []
      const ranges: RangesRun = { pool, elementCount: elementCount(shape), owners: new Map() }
      const pass = { tensor, sources, ...(merged.length > 0 && { merged }), output: undefined, keep: passes }
      const runStage: RunStage = async (stage, onResult) =>
        void (await runRanges(ranges, stage, { ...pass, work: kernelWork(stage, stage.columns) }, onResult))
      const runEach = async (lowered: Lowered, parts: readonly ElementRange[]) => {
        const results: KernelResult[] = []
        const stage: Stage = { ...lowered, columns: elementCount(shape), ranges: parts, groupSize: 1 }
        await runStage(stage, (index, result) => void (results[index] = result))
        return results
      }
      const runProducts = productsOn(pool, (work) => ({ ...pass, work }))
      const runLinalg = linalgOn(pool, tensor)
      const inputDtypes = sources.map(({ dtype }) => dtype)
      try {
        return await ask({
          ...createSession({ shape, inputDtypes, runStage, runProducts }),
          inputDtypes,
          each: runEach,
          async effectiveRank(matrix) {
            const [[rank, isEstimate]] = (await runLinalg({ kind: 'effectiveRank', matrix })) as [Float64Array]
            return { rank: rank!, isEstimate: isEstimate === 1 }
          },
          async count(lowered, parts) {
            let counts: KernelResult = []
            // One call, since a histogram costs more than the elements of a part.
            const columns = rangeElements(parts)
            const stage: Stage = { ...lowered, columns, ranges: parts, groupSize: parts.length, gathered: true }
            await runStage(stage, (_, result) => void (counts = result))
            return counts
          },
        })
      } finally {
        pool.forget(tensor)
      }
    },
    close: () => pool.close(),
  }
}
