import {
  createMethodContext,
  embeddingSlerp,
  type MethodDefinition,
  type MethodParameters,
  rowWeightedLinear,
} from '@mk/methods'
import { elementCount } from '@mk/safetensors'
import { type TensorSource, withUnroundedRows } from '@mk/source'
import { abs, add, and, count as countOf, type Expression, input, le, type Mask, type Session } from '@mk/tensor'
import {
  createSession,
  type ElementRange,
  finiteStored,
  finiteThroughout,
  lower,
  type Lowered,
  matrixColumns,
  needsWholeRows,
  planChunks,
  programKey,
  type RunStage,
  type Stage,
} from '@mk/tensor/runtime'
import { operationInputs, type PlannedTensor, type RowWeights } from '../plan/merge-plan.ts'
import { isFloat } from '../plan/dtypes.ts'
import { addCounts, type NonFiniteCounts } from './non-finite.ts'
import { asMethod } from './own-method.ts'
import type { KernelWork, PassOutput, PassWork, TensorPass } from './task.ts'
import type { WorkerPool } from './worker-pool.ts'

/** Elements that one message to a worker covers: enough to make the message cheap, little enough to share out a tensor. */
const taskElements = { fewest: 2 ** 20, most: 2 ** 22 }

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
  /** Which worker has seen the range that starts at an element. */
  const owners = new Map<number, number>()
  const pass = (work: PassWork, output?: PassOutput, from = sources): TensorPass => ({
    tensor: index,
    sources: from,
    work,
    output,
    keep: output === undefined,
  })
  const runStage: RunStage = async (stage, onResult) =>
    void (await runRanges(run, stage, pass(kernelWork(stage, stage.columns)), owners, onResult))
  try {
    const merged = await expressionOf(run, createSession({ shape: tensor.shape, inputDtypes: dtypes, runStage }))
    const { dtype, byteStart, rows } = tensor
    const expression = rows?.add === undefined ? merged : add(merged, rows.add)
    const output = { file: run.file, dtype, byteStart, ...(rows && { rows }) }
    // What is too large for a block shows when the elements are computed, not when they are copied.
    if (expression.op === 'input' && rows?.largest === undefined) {
      const { slot } = expression
      const from = [stored, sources].find((each) => each[slot]!.dtype === tensor.dtype)
      if (from !== undefined) {
        // Workers know the sources of the passes before.
        if (from[slot] !== sources[slot]) pool.forget(index)
        const work = { kind: 'copy', input: slot, finite: finiteWork(slot, from, count) } as const
        const ranges = planChunks(count, count)
        return await runRanges(run, { ranges, groupSize: 1 }, pass(work, output, from), owners)
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
    const ranges = planChunks(count, columns, needsWholeRows(lowered.program))
    return await runRanges(run, { ranges, groupSize: 1 }, pass(kernelWork(lowered, columns), output), owners)
  } finally {
    pool.forget(index)
  }
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

const kernelWork = ({ program, scalars, vectors }: Lowered, columns: number): KernelWork => ({
  kind: 'kernel',
  program,
  programKey: programKey(program),
  scalars,
  vectors,
  columns,
})

async function expressionOf(
  { tensor: { name, operation }, labels, method, seed, warn }: TensorRun,
  session: Session,
): Promise<Expression> {
  const [base, models] =
    operation.kind === 'merge' ? [operation.base, operation.models] : [undefined, operationInputs(operation)]
  const names = { base: base && labels[base.input], models: models.map(({ input }) => labels[input]!) }
  const context = createMethodContext(session, { tensorName: name, seed, warn, names })
  switch (operation.kind) {
    case 'copy':
      return input(0)
    case 'merge': {
      const first = operation.base === undefined ? 0 : 1
      const inputs = {
        base: operation.base === undefined ? undefined : input(0),
        models: operation.models.map((_, model) => input(first + model)),
      }
      return asMethod(method, name, async () => {
        const result: unknown = await method.merge(inputs, operation.parameters as MethodParameters, context)
        if (!isExpression(result))
          throw new TypeError('it returned no expression; expected what the operations of @mk/methods make')
        return result
      })
    }
    case 'rows':
      return rowWeightedLinear(
        operation.inputs.map((_, slot) => input(slot)),
        operation.weights.map(expandRows),
      )
    case 'slerp-rows': {
      const [a, b] = operation.weights.map((weights, slot) => ({
        tensor: input(slot),
        presence: expandRows(weights).map((weight) => Number(weight !== 0)),
      }))
      return embeddingSlerp(a!, b!, operation.t, context)
    }
    default:
      return operation satisfies never
  }
}

const isExpression = (value: unknown): value is Expression =>
  typeof value === 'object' && value !== null && typeof (value as { op?: unknown }).op === 'string'

function expandRows(weights: RowWeights): Float32Array {
  const rows = new Float32Array(weights.reduce((sum, { rowCount }) => sum + rowCount, 0))
  let row = 0
  for (const { rowCount, weight } of weights) rows.fill(weight, row, (row += rowCount))
  return rows
}

/** Hands ranges to the workers, consecutive ones together, each where its inputs are kept if they are. */
async function runRanges(
  run: TensorRun,
  { ranges, groupSize }: Pick<Stage, 'ranges' | 'groupSize'>,
  pass: TensorPass,
  owners: Map<number, number>,
  onResult?: Parameters<RunStage>[1],
): Promise<NonFiniteCounts | undefined> {
  const share = Math.max(taskElements.fewest, Math.ceil(elementCount(run.tensor.shape) / (2 * run.pool.size)))
  // Totals of a group are one message, however large the task.
  const most = groupSize > 1 ? share : Math.min(share, taskElements.most)
  let found: NonFiniteCounts | undefined
  await Promise.all(
    batches(ranges, owners, most).map(async ({ first, last, owner }) => {
      const part = ranges.slice(first, last)
      const groups = part.map((_, index) => Math.floor((first + index) / groupSize))
      const { results, nonFinite, worker } = await run.pool.run({ pass, ranges: part, groups }, owner)
      if (pass.keep) for (const { start } of part) owners.set(start, worker)
      for (const { range, result } of results) onResult?.(first + range, result)
      if (pass.output !== undefined) run.onWritten(part.reduce((sum, { start, end }) => sum + end - start, 0))
      if (nonFinite !== undefined) found = addCounts(found, nonFinite)
    }),
  )
  return found
}

/** Consecutive ranges of one owner, as [first, last) and of at most `most` elements where a single range is not longer. */
function batches(ranges: readonly ElementRange[], owners: ReadonlyMap<number, number>, most: number) {
  const result: { first: number; last: number; owner: number | undefined; elements: number }[] = []
  ranges.forEach(({ start, end }, index) => {
    const owner = owners.get(start)
    const batch = result.at(-1)
    if (batch !== undefined && batch.owner === owner && batch.elements + end - start <= most) {
      batch.last = index + 1
      batch.elements += end - start
    } else result.push({ first: index, last: index + 1, owner, elements: end - start })
  })
  return result
}
