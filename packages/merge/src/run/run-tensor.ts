import type { MethodDefinition } from '@mk/methods'
import { elementCount } from '@mk/safetensors'
import { type TensorSource, withUnroundedRows } from '@mk/source'
import { abs, add, and, count as countOf, type Expression, le, type Mask } from '@mk/tensor'
import {
  createSession,
  type ElementRange,
  finiteStored,
  finiteThroughout,
  lower,
  matrixColumns,
  needsWholeRows,
  planChunks,
  type RunStage,
} from '@mk/tensor/runtime'
import { operationInputs, type PlannedTensor } from '../plan/merge-plan.ts'
import { isFloat } from '../plan/dtypes.ts'
import { kernelWork } from './kernel-work.ts'
import type { NonFiniteCounts } from './non-finite.ts'
import { asMethod } from './own-method.ts'
import { type RangesRun, runRanges } from './run-ranges.ts'
import type { StageRunner } from './run-stages.ts'
import type { KernelWork, PassOutput, PassWork, TensorPass } from './task.ts'
import { expressionOf } from './tensor-expression.ts'
import type { WorkerPool } from './worker-pool.ts'

/** One tensor of a plan with all that carrying it out needs. */
export interface TensorRun {
  readonly tensor: PlannedTensor
  /** Its index in the plan. */
  readonly index: number
  /** What the user calls the inputs of the plan. */
  readonly labels: readonly string[]
  readonly file: string
  readonly method: MethodDefinition
  readonly seed: number
  readonly pool: WorkerPool
  /** The merges that inputs are; absent where all are models of their own. */
  readonly stages?: StageRunner
  readonly onWritten: (elements: number) => void
  readonly warn: (message: string) => void
}

/**
 * Carries out one tensor of a plan: the passes that the method's reductions take, then one that writes.
 * @returns what is infinite or NaN in it or its inputs, if anything is
 */
export async function runTensor(run: TensorRun): Promise<NonFiniteCounts | undefined> {
  const { tensor, index, pool } = run
  const stored = operationInputs(tensor.operation).map(({ source }) => source)
  const sources = stored.map(withUnroundedRows)
  const dtypes = sources.map(({ dtype }) => dtype)
  const count = elementCount(tensor.shape)
  if (count === 0) return undefined
  const merged = await run.stages?.worksFor(stored)
  const ranges: RangesRun = { pool, elementCount: count, owners: new Map(), onWritten: run.onWritten }
  const pass = (work: PassWork, output?: PassOutput, from = sources): TensorPass => ({
    tensor: index,
    sources: from,
    ...(merged && merged.length > 0 && { merged }),
    work,
    output,
    keep: output === undefined,
  })
  const runStage: RunStage = async (stage, onResult) =>
    void (await runRanges(ranges, stage, pass(kernelWork(stage, stage.columns)), onResult))
  try {
    const computed = await expressionOf(
      { ...run, name: tensor.name, operation: tensor.operation },
      createSession({ shape: tensor.shape, inputDtypes: dtypes, runStage }),
    )
    const { dtype, byteStart, rows } = tensor
    const expression = rows?.add === undefined ? computed : add(computed, rows.add)
    const output = { file: run.file, dtype, byteStart, ...(rows && { rows }) }
    // What is too large for a block shows when the elements are computed, not when they are copied.
    if (expression.op === 'input' && rows?.largest === undefined) {
      const { slot } = expression
      const from = [stored, sources].find((each) => each[slot]!.dtype === tensor.dtype)
      if (from !== undefined) {
        // Workers know the sources of the passes before.
        if (from[slot] !== sources[slot]) pool.forget(index)
        const work = { kind: 'copy', input: slot, finite: finiteWork(slot, from, count) } as const
        const chunks = ofShare(planChunks(count, count), tensor)
        return await runRanges(ranges, { ranges: chunks, groupSize: 1 }, pass(work, output, from))
      }
    }
    const lowered = await asMethod(run.method, tensor.name, () =>
      lower(
        {
          stores: [{ value: expression, dtype: tensor.dtype }],
          reductions: isFloat(tensor.dtype) ? [countOf(finiteInFile(expression, tensor))] : [],
        },
        dtypes,
      ),
    )
    const columns = matrixColumns(lowered, tensor.shape)
    const chunks = ofShare(planChunks(count, columns, needsWholeRows(lowered.program)), tensor)
    return await runRanges(ranges, { ranges: chunks, groupSize: 1 }, pass(kernelWork(lowered, columns), output))
  } finally {
    pool.forget(index)
  }
}

/** Shares that meet have no chunk in common, and leave none out. */
function ofShare(chunks: readonly ElementRange[], { share }: PlannedTensor): readonly ElementRange[] {
  if (share === undefined) return chunks
  const [first, end] = [share.from, share.to].map((part) => Math.round(chunks.length * part))
  return chunks.slice(first, end)
}

function finiteInFile(value: Expression, { dtype, rows }: PlannedTensor): Mask {
  const finite = finiteThroughout(value, dtype)
  return rows?.largest === undefined ? finite : and(finite, le(abs(value), rows.largest))
}

/** Counts the finite elements of one input, if it has floats. */
function finiteWork(slot: number, sources: readonly TensorSource[], count: number): KernelWork | undefined {
  const dtypes = sources.map(({ dtype }) => dtype)
  if (!isFloat(dtypes[slot]!)) return undefined
  const { readAs, isFinite } = finiteStored(slot, dtypes[slot]!)
  return kernelWork(lower({ reductions: [countOf(isFinite)] }, dtypes.with(slot, readAs)), count)
}
