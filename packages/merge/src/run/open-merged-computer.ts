import type { SourceReader } from '@mk/source'
import type { Runtime } from '@mk/tensor/runtime'
import type { MergedComputer } from './compute-merged.ts'
import { openRuntime } from './open-runtime.ts'
import { wasmRuntime } from './task.ts'

/**
 * Opens what computes the tensors of other merges. What reads elements can't wait, so that those of other merges are computed by WebAssembly where the runtime itself gives promises, as
 * those of devices do.
 */
export async function openMergedComputer(runtime: Runtime, reader: SourceReader): Promise<MergedComputer> {
  const { createMergedComputer } = await import('./compute-merged.ts')
  if (runtime.isSynchronous === true) return createMergedComputer(runtime, reader)
  const own = await openRuntime(wasmRuntime)
  return { ...createMergedComputer(own, reader), close: () => own.close() }
}
