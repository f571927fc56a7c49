import { expect, test, vi } from 'vitest'
import type { MatrixTask, RuntimeSpecifier } from './task.ts'
import { wasmRuntime } from './task.ts'
import { createWorkerPool } from './worker-pool.ts'
import type { WorkerAnswer, WorkerRequest } from './worker-port.ts'

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

const deviceRuntime = { ...wasmRuntime, module: 'file:///device.js' }

/** A pool of two workers that note what they are asked for and how they end, and answer that they are closed if they do. */
function poolOf(runtime: RuntimeSpecifier, answers: readonly boolean[]) {
  const seen: string[] = []
  let started = 0
  const pool = createWorkerPool({
    threads: 2,
    start: { runtime, cacheBytes: 0 },
    startWorker: () => {
      const index = started++
      let answer: ((answer: WorkerAnswer) => void) | undefined
      return {
        post({ kind }) {
          seen.push(`${index} ${kind}`)
          if (kind === 'close' && answers[index]) queueMicrotask(() => answer!({ kind: 'closed' }))
        },
        listen: ({ onAnswer }) => (answer = onAnswer),
        end: async () => void seen.push(`${index} ends`),
      }
    },
  })
  return { pool, seen }
}

test('workers give a device back before they are ended', async () => {
  const { pool, seen } = poolOf(deviceRuntime, [true, true])
  await pool.close()
  expect(seen).toEqual(['0 start', '1 start', '0 close', '1 close', '0 ends', '1 ends'])
})

test('workers of no device are ended at once', async () => {
  const { pool, seen } = poolOf(wasmRuntime, [])
  await pool.close()
  expect(seen).toEqual(['0 start', '1 start', '0 ends', '1 ends'])
})

test('a worker that does not give its device back is ended all the same', async () => {
  vi.useFakeTimers()
  try {
    const { pool, seen } = poolOf(deviceRuntime, [true, false])
    const closing = pool.close()
    await vi.advanceTimersByTimeAsync(1999)
    expect(seen).not.toContain('0 ends')
    await vi.advanceTimersByTimeAsync(1)
    await closing
    expect(seen.slice(-2)).toEqual(['0 ends', '1 ends'])
  } finally {
    vi.useRealTimers()
  }
})
