import { builtinMethods } from '@mk/methods'
import type { TensorSource } from '@mk/source'
import type { Operation, PlannedTensor, PlannedTensorInput } from '../plan/merge-plan.ts'
import { isAny, type NonFiniteCounts } from './non-finite.ts'
import { runTensor } from './run-tensor.ts'
import type { AlikeTensors, TaskExecutor, TaskResult, WholeTask } from './task.ts'
import { createInlinePool } from './worker-pool.ts'

/** Carries out tensors with their methods, all passes of one after the other, on what carries out single passes. */
export async function runWhole(
  executor: TaskExecutor,
  { tensor: index, seed, labels, whole }: WholeTask,
): Promise<TaskResult> {
  const pool = createInlinePool({
    run: (task) => executor.run(task),
    forget: (tensor) => executor.forget(tensor),
    close: async () => {},
  })
  const nonFiniteAt: [number, NonFiniteCounts][] = []
  const warnings: [number, string][] = []
  let place = 0
  try {
    for (const tensors of whole) {
      const method = builtinMethods.get(tensors.method)!
      for (const tensor of eachOf(tensors)) {
        const found = await runTensor({
          tensor,
          index,
          labels,
          file: tensors.file,
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
  } finally {
    // After an error no range is begun that hasn't been.
    await pool.close()
  }
  return { results: [], ...(nonFiniteAt.length > 0 && { nonFiniteAt }), ...(warnings.length > 0 && { warnings }) }
}

function eachOf({ names, byteStarts, like }: AlikeTensors): readonly PlannedTensor[] {
  if (names.length === 1) return [like]
  const perTensor = byteStarts.length / names.length
  return names.map((name, i) => {
    const [byteStart, ...ofSources] = byteStarts.slice(i * perTensor, (i + 1) * perTensor)
    return { ...like, name, byteStart: byteStart!, operation: at(like.operation, ofSources) }
  })
}

/** The same operation on tensors that begin elsewhere in their files, in the order of `operationInputs`. */
function at(operation: Operation, byteStarts: readonly number[]): Operation {
  if (operation.kind !== 'merge') throw new TypeError(`alike tensors of ${operation.kind}; expected those of a merge`)
  let slot = 0
  const moved = (input: PlannedTensorInput): PlannedTensorInput => ({
    ...input,
    source: { ...(input.source as Extract<TensorSource, { kind: 'file' }>), byteStart: byteStarts[slot++]! },
  })
  const base = operation.base && moved(operation.base)
  return { ...operation, ...(base && { base }), models: operation.models.map(moved) }
}
