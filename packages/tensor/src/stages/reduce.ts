import { elementCount } from '@mk/safetensors'
import { reducers } from '../numbers/reducers.ts'
import { type ElementRange, planChunks } from './chunks.ts'
import { isMask, type Mask } from '../language/operations.ts'
import { lower, type Lowered } from '../program/lower.ts'
import { matrixColumns } from '../program/matrix-columns.ts'
import { needsWholeRows } from '../program/requirements.ts'
import type { KernelResult } from '../runtime/runtime.ts'
import type { Reduction } from '../language/reductions.ts'
import { maskCodes, MOST_MASKS } from './mask-codes.ts'
import type { ReduceOptions, ReduceResult } from './session.ts'
import type { StreamedTensor } from './stage.ts'

type Results<R extends Record<string, Reduction>> = { [K in keyof R]: ReduceResult[R[K]['per']] }
type Result = ReduceResult[Reduction['per']]

/** Runs one stage for each matrix that the reductions see the tensor as: usually one. */
export async function reduce<R extends Record<string, Reduction>>(
  tensor: StreamedTensor,
  reductions: R,
  { remember = [] }: ReduceOptions = {},
): Promise<Results<R>> {
  const groups = new Map<number, [string, Reduction][]>()
  const anywhere: [string, Reduction][] = []
  /** What can't stand beside rows. */
  const quick: [string, Reduction][] = []
  const entries = Object.entries<Reduction>(reductions)
  const isWhole = ({ per, columns }: Reduction) => per === 'tensor' && columns === undefined
  const lowered = (some: readonly Reduction[]) => lower({ reductions: some }, tensor.inputDtypes)
  const hasNoRows = ({ vectors, program }: Lowered) => vectors.length === 0 && !needsWholeRows(program)
  // One look at all of them spares one at each: few have rows.
  const whole = entries.map(([, reduction]) => reduction).filter(isWhole)
  const allIndifferent = whole.length > 0 && hasNoRows(lowered(whole))
  for (const entry of entries) {
    const [, reduction] = entry
    const isIndifferent = isWhole(reduction) && (allIndifferent || hasNoRows(lowered([reduction])))
    if (reduction.reduce === 'quickSum') quick.push(entry)
    else if (isIndifferent) anywhere.push(entry)
    else {
      const columns = matrixColumns(lowered([reduction]), tensor.shape, reduction.columns)
      groups.set(columns, [...(groups.get(columns) ?? []), entry])
    }
  }
  const lastDimension = tensor.shape.at(-1) ?? 1
  const beside = groups.size === 0 ? [...anywhere, ...quick] : anywhere
  const columns = groups.keys().next().value ?? lastDimension
  if (beside.length > 0) groups.set(columns, [...(groups.get(columns) ?? []), ...beside])
  const passes = [...groups]
  if (beside === anywhere && quick.length > 0) passes.push([lastDimension, quick])
  const remembered = tensor.remembers && passes.length === 1 && remember.length <= MOST_MASKS ? remember : []
  const found = new Map<string, Result>()
  await Promise.all(
    passes.map(async ([width, members]) => {
      const results = await reduceTogether(
        tensor,
        width,
        members.map(([, reduction]) => reduction),
        remembered,
      )
      members.forEach(([name], i) => found.set(name, results[i]!))
    }),
  )
  return Object.fromEntries(Object.keys(reductions).map((name) => [name, found.get(name)])) as Results<R>
}

async function reduceTogether(
  tensor: StreamedTensor,
  columns: number,
  reductions: readonly Reduction[],
  remembered: readonly Mask[],
): Promise<Result[]> {
  const stores = remembered.length > 0 ? [{ value: maskCodes(remembered), dtype: 'U8' as const }] : []
  const lowered = lower({ stores, reductions }, tensor.inputDtypes)
  const ranges = planChunks(tensor.elementCount, columns, needsWholeRows(lowered.program))
  const rows = columns === 0 ? elementCount(tensor.shape.slice(0, -1)) : tensor.elementCount / columns
  const folds = reductions.map((reduction) => createFold(reduction, ranges, rows, columns))
  const additive = reductions.every(
    ({ reduce: kind, per, value }) => kind === 'sum' && per === 'tensor' && typeof value === 'object' && isMask(value),
  )
  if (ranges.length > 0) {
    await tensor.runStage(
      {
        ...lowered,
        columns,
        ranges,
        groupSize: additive ? ranges.length : 1,
        ...(remembered.length > 0 && { remembered }),
      },
      (index, result: KernelResult) => {
        folds.forEach((fold, i) => fold.add(index, result[i] as Float64Array))
      },
    )
  }
  return folds.map((fold) => fold.finish())
}

export interface Fold {
  /** The result of one range, the last one given. Ranges come in any order, and are combined in theirs. */
  add(index: number, part: Float64Array): void
  finish(): Result
}

export function createFold(
  { reduce: kind, per }: Reduction,
  ranges: readonly ElementRange[],
  rows: number,
  columns: number,
): Fold {
  const { empty, join } = reducers[kind]
  if (per === 'column') {
    const total = new Float64Array(columns).fill(empty)
    const early = new Map<number, Float64Array>()
    let next = 0
    return {
      add(index, part) {
        early.set(index, part)
        for (let ready = early.get(next); ready !== undefined; ready = early.get(++next)) {
          for (let i = 0; i < columns; i++) total[i] = join(total[i]!, ready[i]!)
          early.delete(next)
        }
      },
      finish: () => total,
    }
  }
  const result = new Float64Array(per === 'tensor' ? 1 : rows).fill(empty)
  // All ranges are whole rows, or none is.
  const wholeRows = per === 'row' && ranges.length > 0 && ranges[0]!.end % columns === 0
  if (wholeRows) return { add: (index, part) => result.set(part, ranges[index]!.start / columns), finish: () => result }
  const parts = new Float64Array(ranges.length).fill(empty)
  return {
    add: (index, part) => void (parts[index] = part[0]!),
    finish() {
      parts.forEach((part, index) => {
        const row = per === 'tensor' ? 0 : Math.floor(ranges[index]!.start / columns)
        result[row] = join(result[row]!, part)
      })
      return per === 'tensor' ? result[0]! : result
    },
  }
}
