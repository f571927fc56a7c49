import type { MethodDefinition } from '@mk/methods'
import { elementCount } from '@mk/safetensors'
import { mergedSources, type TensorSource, withUnroundedRows } from '@mk/source'
import { createSession, lower, matrixColumns, needsWholeRows, type RunStage } from '@mk/tensor/runtime'
import { type MergePlan, methodOf, operationInputs, type PlannedStage } from '../plan/merge-plan.ts'
import { kernelWork } from './kernel-work.ts'
import { linalgOn, productsOn } from './matrix-tasks.ts'
import { asMethod } from './own-method.ts'
import { type RangesRun, runRanges } from './run-ranges.ts'
import type { MergedWork, PassWork, TensorPass } from './task.ts'
import { expressionOf } from './tensor-expression.ts'
import type { WorkerPool } from './worker-pool.ts'

/** Carries out the merges that others are made of as far as their tensors are read: the passes of their methods, and no elements. */
export interface StageRunner {
  /** Finds what computes the tensors of other merges that sources read, each after those that it reads. */
  worksFor(sources: readonly TensorSource[]): Promise<readonly MergedWork[]>
  /** To be called when a tensor of the plan is done: what only it needed is forgotten. */
  finished(tensor: number): void
}

interface StageOptions {
  readonly methods: ReadonlyMap<string, MethodDefinition>
  readonly pool: WorkerPool
  readonly onWarning?: (message: string) => void
}

type StageTensor = PlannedStage['tensors'][number]

/** What computes one tensor of a stage, and what computes those that it reads. */
interface Prepared {
  readonly work: MergedWork
  readonly needs: readonly MergedWork[]
}

/**
 * Creates a runner of the stages of a plan.
 * @param pending the tensors of the plan that are to be carried out
 */
export function createStageRunner(
  plan: MergePlan,
  pending: readonly number[],
  { methods, pool, onWarning }: StageOptions,
): StageRunner {
  const stages = new Map(
    (plan.stages ?? []).map((stage) => [
      stage.name,
      { stage, tensors: new Map(stage.tensors.map((tensor) => [tensor.name, tensor])) },
    ]),
  )
  const uses = countUses(plan, pending)
  const prepared = new Map<string, Promise<Prepared>>()
  /** Of tensors in flight; those of stages come before those that wait for them. */
  let nextId = -1

  const prepare = async (stage: PlannedStage, tensor: StageTensor): Promise<Prepared> => {
    const stored = operationInputs(tensor.operation).map(({ source }) => source)
    const sources = stored.map(withUnroundedRows)
    const needs = await worksFor(stored)
    const id = nextId--
    const count = elementCount(tensor.shape)
    const ranges: RangesRun = { pool, elementCount: count, owners: new Map() }
    const merged = needs.length > 0 && { merged: needs }
    const passOf = (work: PassWork): TensorPass => ({
      tensor: id,
      sources,
      ...merged,
      work,
      output: undefined,
      keep: true,
    })
    const runStage: RunStage = async (pass, onResult) => {
      await runRanges(ranges, pass, passOf(kernelWork(pass, pass.columns)), onResult)
    }
    const dtypes = sources.map(({ dtype }) => dtype)
    const method = methods.get(methodOf(stage, tensor.operation))!
    const name = `${stage.name}: ${tensor.name}`
    try {
      const expression = await expressionOf(
        {
          name: tensor.name,
          operation: tensor.operation,
          labels: stage.inputs.map(({ label }) => label),
          method,
          seed: plan.seed,
          runLinalg: linalgOn(pool, id),
          warn: (message) => onWarning?.(`${name}: ${message.replace(`${tensor.name}: `, '')}`),
        },
        createSession({ shape: tensor.shape, inputDtypes: dtypes, runStage, runProducts: productsOn(pool, passOf) }),
      )
      const common = { stage: stage.name, tensor: tensor.name, dtype: tensor.dtype, elementCount: count }
      const isShared = uses.readers(keyOf(common)) > 1
      if (expression.op === 'input') {
        const from = [stored, sources].find((each) => each[expression.slot]!.dtype === tensor.dtype)
        if (from !== undefined) {
          const work = { kind: 'copy', input: expression.slot } as const
          return { needs, work: { ...common, sources: from, work, wholeRows: false, isShared } }
        }
      }
      const lowered = await asMethod(method, name, () =>
        lower({ stores: [{ value: expression, dtype: tensor.dtype }] }, dtypes),
      )
      const work = kernelWork(lowered, matrixColumns(lowered, tensor.shape))
      const wholeRows = needsWholeRows(lowered.program)
      return { needs, work: { ...common, sources, work, wholeRows, isShared } }
    } finally {
      pool.forget(id)
    }
  }

  async function worksFor(sources: readonly TensorSource[]): Promise<readonly MergedWork[]> {
    const all = await Promise.all(
      mergedSources(sources).map(({ stage, tensor }) => {
        const key = keyOf({ stage, tensor })
        const known = stages.get(stage)!
        const preparing = prepared.get(key) ?? prepare(known.stage, known.tensors.get(tensor)!)
        prepared.set(key, preparing)
        return preparing
      }),
    )
    const works = new Map<string, MergedWork>()
    for (const { needs, work } of all) for (const each of [...needs, work]) works.set(keyOf(each), each)
    return [...works.values()]
  }

  return {
    worksFor,
    finished(tensor) {
      for (const key of uses.finished(tensor)) prepared.delete(key)
    },
  }
}

const keyOf = ({ stage, tensor }: Pick<MergedWork, 'stage' | 'tensor'>): string => `${stage}\n${tensor}`

interface Uses {
  /** How many tensors read one, of the plan and of stages. */
  readers(key: string): number
  /** Takes a tensor of the plan off. @returns what nothing needs any more */
  finished(tensor: number): readonly string[]
}

/** Counts which tensors of stages are needed for which tensors of a plan. */
function countUses({ tensors, stages = [] }: MergePlan, pending: readonly number[]): Uses {
  const readBy = ({ operation }: Pick<StageTensor, 'operation'>): readonly string[] =>
    operationInputs(operation).flatMap(({ source }) => mergedSources([source]).map(keyOf))
  const readers = new Map<string, number>()
  const count = (key: string) => readers.set(key, (readers.get(key) ?? 0) + 1)
  const within = new Map<string, ReadonlySet<string>>()
  const reach = (direct: readonly string[]) => new Set(direct.flatMap((key) => [key, ...(within.get(key) ?? [])]))
  for (const { name, tensors: ofStage } of stages)
    for (const tensor of ofStage) {
      const direct = readBy(tensor)
      direct.forEach(count)
      within.set(keyOf({ stage: name, tensor: tensor.name }), reach(direct))
    }
  const needed = new Map<number, ReadonlySet<string>>()
  const left = new Map<string, number>()
  for (const index of pending) {
    const direct = readBy(tensors[index]!)
    direct.forEach(count)
    const keys = reach(direct)
    needed.set(index, keys)
    for (const key of keys) left.set(key, (left.get(key) ?? 0) + 1)
  }
  return {
    readers: (key) => readers.get(key) ?? 0,
    finished(tensor) {
      return [...(needed.get(tensor) ?? [])].filter((key) => {
        const remaining = left.get(key)! - 1
        left.set(key, remaining)
        return remaining === 0
      })
    },
  }
}
