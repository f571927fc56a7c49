import { createMethodContext } from '@mk/methods'
import { elementCount } from '@mk/safetensors'
import { withUnroundedRows } from '@mk/source'
import { add, input, sub } from '@mk/tensor'
import { createSession, type RunStage } from '@mk/tensor/runtime'
import type { PlannedTensorInput } from '../plan/merge-plan.ts'
import { filesOfChange, type TaskVectorChange, taskVectors } from '../plan/task-vectors.ts'
import { kernelWork } from './kernel-work.ts'
import { linalgOn, matricesOn, productsOn } from './matrix-tasks.ts'
import { asMethod } from './own-method.ts'
import { planOperator, planValues } from './plan-operator.ts'
import { type RangesRun, runRanges } from './run-ranges.ts'
import type { TensorRun } from './run-tensor.ts'
import type { FactorTask, PassWork, TensorPass } from './task.ts'
import { withFiles } from './tensor-expression.ts'

/**
 * Has the method say what it changes in a matrix, after the passes over it that it asks for.
 * @param passOf makes a pass over the inputs of the module
 * @returns what decomposes that change as it streams
 */
export async function planChange(
  { index, pool, method, labels, seed, warn }: TensorRun,
  { change, inputs }: { readonly change: TaskVectorChange; readonly inputs: readonly PlannedTensorInput[] },
  passOf: (work: PassWork) => TensorPass,
): Promise<FactorTask> {
  const { hasBase, modelCount, isMoved, transposed, layerDepth, inputSide } = change
  const { name, source } = inputs[0]!
  const { shape } = source
  const inputDtypes = inputs.map((each) => withUnroundedRows(each.source).dtype)
  const ranges: RangesRun = { pool, elementCount: elementCount(shape), owners: new Map() }
  const runStage: RunStage = async (stage, onResult) =>
    void (await runRanges(ranges, stage, passOf(kernelWork(stage, stage.columns)), onResult))
  const session = createSession({ shape, inputDtypes, runStage, runProducts: productsOn(pool, passOf) })
  const called = inputs.map(({ input: from }) => labels[from]!)
  const first = Number(hasBase)
  const names = { base: hasBase ? called[0] : undefined, models: called.slice(first, first + modelCount) }
  const runLinalg = linalgOn(pool, index)
  const readMatrix = matricesOn(
    pool,
    inputs.map((each) => each.source.shape),
    passOf,
  )
  const facts = { tensorName: name, seed, warn, layerDepth, inputSide, names, runLinalg, readMatrix }
  const context = createMethodContext(session, facts)
  return asMethod(method, name, async () => {
    const merged = await method.merge(
      taskVectors(change, method.base !== 'none'),
      withFiles(filesOfChange(change), method),
      context,
    )
    const value = isMoved ? add(merged, sub(input(0), input(inputs.length - 1))) : merged
    const matrix = { shape, inputDtypes }
    return {
      kind: 'streamed',
      operator: planOperator(value, matrix),
      elements: planValues(value, matrix),
      transposed,
      seed,
    }
  })
}
