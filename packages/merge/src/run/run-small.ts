import { builtinMethods } from '@mk/methods'
import type { TensorSource } from '@mk/source'
import type { Operation, PlannedTensorInput } from '../plan/merge-plan.ts'
import { isAny, type NonFiniteCounts } from './non-finite.ts'
import { runTensor } from './run-tensor.ts'
import type { SmallTask, SmallTensors, TaskExecutor, TaskResult } from './task.ts'
import type { WorkerPool } from './worker-pool.ts'

/** Carries out small tensors with their methods, all passes of one after the other, on what carries out single passes. */
export async function runSmall(
  executor: Pick<TaskExecutor, 'run' | 'forget'>,
  { tensor: index, seed, labels, small }: SmallTask,
): Promise<TaskResult> {
  const pool: WorkerPool = {
    size: 1,
    run: async (task) => ({ ...(await executor.run(task)), worker: 0 }),
    forget: (tensor) => executor.forget(tensor),
    close: async () => {},
  }
  const nonFiniteAt: [number, NonFiniteCounts][] = []
  const warnings: [number, string][] = []
  let place = 0
  for (const tensors of small) {
    const { names, byteStarts, like, file } = tensors
    const method = builtinMethods.get(tensors.method)!
    const perTensor = byteStarts.length / names.length
    for (const [i, name] of names.entries()) {
      const [byteStart, ...ofSources] = byteStarts.slice(i * perTensor, (i + 1) * perTensor)
      const tensor = { ...like, name, byteStart: byteStart!, operation: at(like.operation, ofSources) }
      const found = await runTensor({
        tensor,
        index,
        labels,
        file,
        method,
        seed,
        pool,
        onWritten: () => {},
        warn: (message) => void warnings.push([place, message]),
      })
      if (found !== undefined && isAny(found)) nonFiniteAt.push([place, found])
      place++
    }
  }
  return { results: [], ...(nonFiniteAt.length > 0 && { nonFiniteAt }), ...(warnings.length > 0 && { warnings }) }
}

/** The same operation on tensors that begin elsewhere in their files, in the order of `operationInputs`. */
function at(operation: SmallTensors['like']['operation'], byteStarts: readonly number[]): Operation {
  if (operation.kind !== 'merge') throw new TypeError(`small tensors of ${operation.kind}; expected those of a merge`)
  let slot = 0
  const moved = (input: PlannedTensorInput): PlannedTensorInput => ({
    ...input,
    source: { ...(input.source as Extract<TensorSource, { kind: 'file' }>), byteStart: byteStarts[slot++]! },
  })
  const base = operation.base && moved(operation.base)
  return { ...operation, ...(base && { base }), models: operation.models.map(moved) }
}
