import { packError, type PackedError } from '@mk/errors'
import { parentPort, workerData } from 'node:worker_threads'
import { createSurgeon } from './create-surgeon.ts'
import type { SurgeonTask, TaskResults } from './task.ts'
import type { RuntimeSpecifier } from '@mk/merge/run'

/** What a thread is started with. */
export interface WorkerStart {
  readonly runtime: RuntimeSpecifier
}

/** What a thread answers to a task. */
export type WorkerAnswer = { readonly result: TaskResults[SurgeonTask['kind']] } | { readonly error: PackedError }

const port = parentPort
// Imported anywhere but in a worker it has nobody to serve.
if (port !== null) {
  const surgeon = createSurgeon((workerData as WorkerStart).runtime)
  port.on('message', async (task: SurgeonTask) => {
    let answer: WorkerAnswer
    try {
      answer = { result: await surgeon.run(task) }
    } catch (error) {
      answer = { error: packError(error) }
    }
    port.postMessage(answer)
  })
}
