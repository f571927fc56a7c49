import { parentPort, workerData } from 'node:worker_threads'
import { serveTasks } from '@mk/errors/threads'
import { createDecomposer } from './decompose.ts'
import type { DecomposeTask } from './task.ts'

// Imported anywhere but in a worker it has nobody to serve.
if (parentPort !== null) {
  const decomposer = createDecomposer(workerData as { readonly cacheBytes: number })
  serveTasks(parentPort, (task: DecomposeTask) => decomposer.decompose(task))
}
