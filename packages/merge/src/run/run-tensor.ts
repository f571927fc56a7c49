import { countMatrices, type MethodDefinition } from '@mk/methods'
import { type Dtype, elementCount } from '@mk/safetensors'
import { type TensorSource, withUnroundedRows } from '@mk/source'
import { abs, add, and, count as countOf, type Expression, input, le, type Mask } from '@mk/tensor'
import {
  blockRanges,
  createBlockBuilder,
  createSession,
  type ElementRange,
  finiteStored,
  finiteThroughout,
  lower,
  type LowerRequest,
  masksOfCodes,
  matrixColumns,
  needsWholeRows,
  planChunks,
  type RunStage,
} from '@mk/tensor/runtime'
import { operationInputs, type PlannedTensor } from '../plan/merge-plan.ts'
import { isFloat } from '../plan/dtypes.ts'
import { kernelWork } from './kernel-work.ts'
import { type Kinds, type LastPass, mayShare } from './kinds.ts'
import { linalgOn, matricesOn, productsOn } from './matrix-tasks.ts'
import { addCounts, type NonFiniteCounts } from './non-finite.ts'
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
  /** Whether what a copy would write is there already. */
  readonly isThere?: true
  readonly method: MethodDefinition
  readonly seed: number
  readonly pool: WorkerPool
  /** Elements that a task is to cover where there are enough other tensors for all workers; absent: the tensor is shared out. */
  readonly oneOfMany?: number
  /** The merges that inputs are; absent where all are models of their own. */
  readonly stages?: StageRunner
  /** What is known of tensors like this one; absent: nothing is kept. */
  readonly kinds?: Kinds
  /** Told that its method asked for something of this tensor alone. */
  readonly onOwn?: () => void
  readonly onWritten: (elements: number) => void
  readonly warn: (message: string) => void
}

/**
 * Carries out one tensor of a plan: the passes that the method's reductions take, then one that writes. What holds the matrices of experts
 * is carried out matrix by matrix where the method works on whole ones.
 * @returns what is infinite or NaN in it or its inputs, if anything is
 */
export async function runTensor(run: TensorRun): Promise<NonFiniteCounts | undefined> {
  const { tensor, index, pool, method } = run
  const { name, shape, operation } = tensor
  if (elementCount(shape) === 0) return undefined
  const stored = operationInputs(operation).map(({ source }) => source)
  const merged = await run.stages?.worksFor(stored)
  const inputs: TensorInputs = {
    sources: stored.map(withUnroundedRows),
    ...(merged && merged.length > 0 && { merged }),
  }
  const matrices = operation.kind === 'merge' && method.matrices !== undefined ? countMatrices(name, shape) : 0
  try {
    if (matrices < 2) return await runPart(run, inputs, { name, shape, elementOffset: 0, matrix: 0 })
    let found: NonFiniteCounts | undefined
    const [, ...ofMatrix] = shape
    for (let matrix = 0; matrix < matrices; matrix++) {
      const part = {
        name: `${name} (matrix ${matrix + 1} of ${matrices})`,
        shape: ofMatrix,
        elementOffset: matrix * elementCount(ofMatrix),
        matrix,
      }
      const counts = await runPart(run, inputs, part)
      if (counts !== undefined) found = addCounts(found, counts)
    }
    return found
  } finally {
    pool.forget(index)
  }
}

type TensorInputs = Pick<TensorPass, 'sources' | 'merged'>

/** All of a tensor, or one matrix of several. */
interface TensorPart {
  readonly name: string
  readonly shape: readonly number[]
  readonly elementOffset: number
  /** Which one. */
  readonly matrix: number
}

async function runPart(
  run: TensorRun,
  { sources, merged }: TensorInputs,
  part: TensorPart,
): Promise<NonFiniteCounts | undefined> {
  const { tensor, index, pool, onWritten, oneOfMany, file, isThere, kinds, method } = run
  const { shape, elementOffset } = part
  const ranges: RangesRun = {
    pool,
    elementCount: elementCount(shape),
    owners: new Map(),
    onWritten,
    ...(oneOfMany !== undefined && { oneOfMany }),
  }
  const pass = (work: PassWork, output?: PassOutput): TensorPass => ({
    tensor: index,
    sources,
    ...(merged && { merged }),
    ...(elementOffset > 0 && { elementOffset }),
    work,
    output,
    keep: output === undefined,
  })
  const { dtype, byteStart, rows, operation } = tensor
  const facts = kinds !== undefined && mayShare(method, operation) ? { method, tensor, shape, sources } : undefined
  let last = facts && kinds!.find(facts)?.last
  if (last === undefined) {
    const prepared = await prepareLast(run, sources, part, { ranges, pass })
    last = prepared.last
    if (prepared.isOfKind) {
      if (facts !== undefined) kinds!.add(facts, last)
    } else run.onOwn?.()
  }
  const output = { file, dtype, byteStart, ...(rows && { rows }), ...(isThere && { isThere }) }
  const { work, recall } = last
  return runRanges(
    ranges,
    { ranges: ofShare(last.ranges, tensor), groupSize: 1 },
    { ...pass(work, output), ...(recall && { recall }) },
  )
}

/** Has the method say what each element is, with the passes that it takes to find out. */
async function prepareLast(
  run: TensorRun,
  sources: readonly TensorSource[],
  { name, shape, matrix }: TensorPart,
  { ranges, pass }: { readonly ranges: RangesRun; readonly pass: (work: PassWork, output?: PassOutput) => TensorPass },
): Promise<{
  readonly last: LastPass
  /** Whether nothing came up that other tensors with the same facts need not have. */
  readonly isOfKind: boolean
}> {
  const { tensor, index, pool } = run
  const dtypes = sources.map(({ dtype }) => dtype)
  const count = elementCount(shape)
  let isOfKind = true
  let remembered: readonly Mask[] = []
  const runStage: RunStage = async (stage, onResult) => {
    isOfKind = false
    remembered = stage.remembered ?? remembered
    const work = pass(kernelWork(stage, stage.columns))
    await runRanges(ranges, stage, stage.remembered ? { ...work, remembers: true } : work, onResult)
  }
  /** Passes of which something is of this tensor alone. */
  const own = (work: PassWork): TensorPass => {
    isOfKind = false
    return pass(work)
  }
  const computed = await expressionOf(
    {
      ...run,
      name,
      operation: tensor.operation,
      runLinalg(job) {
        isOfKind = false
        return linalgOn(pool, index)(job)
      },
      readMatrix: matricesOn(
        pool,
        sources.map((source) => source.shape),
        own,
        matrix,
      ),
      warn(message) {
        isOfKind = false
        run.warn(message)
      },
    },
    createSession({ shape, inputDtypes: dtypes, runStage, remembers: true, runProducts: productsOn(pool, own) }),
  )
  const { dtype, rows } = tensor
  const expression = rows?.add === undefined ? computed : add(computed, rows.add)
  // What is too large for a block shows when the elements are computed, not when they are copied.
  if (expression.op === 'input' && rows?.largest === undefined) {
    const { slot } = expression
    // Rows of another dtype may overflow where they are rounded, which shows only when they are computed.
    if (sources[slot]!.dtype === dtype) {
      const work = { kind: 'copy', input: slot, finite: finiteWork(slot, sources, count) } as const
      return { last: { work, ranges: planChunks(count, count) }, isOfKind }
    }
  }
  const request = {
    stores: [{ value: expression, dtype }],
    reductions: isFloat(dtype) ? [countOf(finiteInFile(expression, tensor))] : [],
    products: true,
  }
  const last = await asMethod(run.method, name, (): LastPass => {
    const lowered = lower(request, dtypes)
    if (lowered.products === undefined) {
      const columns = matrixColumns(lowered, shape)
      // Random numbers go by the tensor's name.
      if (lowered.program.instructions.some(({ op }) => op === 'uniform')) isOfKind = false
      return {
        work: kernelWork(lowered, columns),
        ranges: planChunks(count, columns, needsWholeRows(lowered.program)),
        recall: recallOf(request, dtypes, remembered, columns),
      }
    }
    isOfKind = false
    const builder = createBlockBuilder(shape, dtypes)
    builder.outputs(request)
    const plan = builder.finish()
    return { work: { kind: 'blocks', plan }, ranges: blockRanges(plan) }
  })
  return { last, isOfKind }
}

/** The work where what masks are is remembered, as one more input. */
function recallOf(
  request: LowerRequest,
  dtypes: readonly Dtype[],
  remembered: readonly Mask[],
  columns: number,
): KernelWork | undefined {
  if (remembered.length === 0) return undefined
  const masks = masksOfCodes(input(dtypes.length), remembered.length)
  const replaced = new Map(remembered.map((mask, i) => [mask, masks[i]!]))
  return kernelWork(lower({ ...request, replaced }, [...dtypes, 'U8']), columns)
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
