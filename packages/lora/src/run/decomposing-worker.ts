import { packError, type PackedError } from '@mk/errors'
import { parentPort, workerData } from 'node:worker_threads'
import { createDecomposer } from './decompose.ts'
import type { DecomposeTask, Factors } from './task.ts'

export interface WorkerRequest {
  readonly id: number
  readonly task: DecomposeTask
}

export type WorkerAnswer =
  | { readonly id: number; readonly factors: Factors }
  | { readonly id: number; readonly error: PackedError }

const port = parentPort
// Imported anywhere but in a worker it has nobody to serve.
if (port !== null) {
  const decomposer = createDecomposer(workerData as { readonly cacheBytes: number })
  port.on('message', async ({ id, task }: WorkerRequest) => {
    let answer: WorkerAnswer
    try {
      answer = { id, factors: await decomposer.decompose(task) }
    } catch (error) {
      answer = { id, error: packError(error) }
    }
    port.postMessage(answer)
  })
}
