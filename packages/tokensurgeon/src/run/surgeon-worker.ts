import { parentPort, workerData } from 'node:worker_threads'
import { serveTasks } from '@mk/errors/threads'
import type { RuntimeSpecifier } from '@mk/merge/run'
import { createSurgeon } from './create-surgeon.ts'
import type { SurgeonTask } from './task.ts'

/** What a thread is started with. */
export interface WorkerStart {
  readonly runtime: RuntimeSpecifier
}

// Imported anywhere but in a worker it has nobody to serve.
if (parentPort !== null) {
  const surgeon = createSurgeon((workerData as WorkerStart).runtime)
  serveTasks(parentPort, (task: SurgeonTask) => surgeon.run(task))
}
