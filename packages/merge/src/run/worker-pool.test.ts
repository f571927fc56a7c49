import { expect, test } from 'vitest'
import type { MatrixTask } from './task.ts'
import { wasmRuntime } from './task.ts'
import { createWorkerPool } from './worker-pool.ts'
import type { WorkerRequest } from './worker-port.ts'

const task: MatrixTask = { tensor: 0, job: { kind: 'none' } as never }

test.each([
  [true, 0],
  [false, 1],
])('an idle worker leaves tasks to the one that has their chunks: %s', async (leavesToOwners, taken) => {
  const posted: WorkerRequest[][] = []
  const pool = createWorkerPool({
    threads: 2,
    start: { runtime: wasmRuntime, cacheBytes: 0 },
    leavesToOwners,
    startWorker: () => {
      const requests: WorkerRequest[] = []
      posted.push(requests)
      return { post: (request) => requests.push(request), listen: () => {}, end: async () => {} }
    },
  })
  // One that runs, one that waits beside it, and one more.
  const running = [0, 0, 0].map((owner) => pool.run(task, owner).catch(() => {}))
  expect(posted[1]!.filter(({ kind }) => kind === 'matrix')).toHaveLength(taken)
  await pool.close()
  await Promise.all(running)
})
