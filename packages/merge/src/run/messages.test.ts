import { expect, test } from 'vitest'
import { serveTasks } from './serve-tasks.ts'
import { type PassTask, type TaskExecutor, type TensorPass, wasmRuntime } from './task.ts'
import { createWorkerPool } from './worker-pool.ts'
import type { WorkerAnswer, WorkerRequest } from './worker-port.ts'

/** A pool of one worker in this thread, what is posted to it, and what it carries out. */
function watchedPool() {
  const posted: WorkerRequest[] = []
  const done: string[] = []
  const executor: TaskExecutor = {
    async run(task) {
      done.push('job' in task ? `matrix ${task.tensor}` : `run ${task.pass.tensor} of ${task.pass.sources.length}`)
      return { results: [] }
    },
    forget: (tensor) => void done.push(`forget ${tensor}`),
    close: async () => {},
  }
  let serve: (request: WorkerRequest) => void
  let answer: (answer: WorkerAnswer) => void
  serveTasks({ listen: (onRequest) => (serve = onRequest), post: (message) => answer(message) }, async () => executor)
  const pool = createWorkerPool({
    threads: 1,
    start: { runtime: wasmRuntime, cacheBytes: 0 },
    startWorker: () => ({
      listen: ({ onAnswer }) => (answer = onAnswer),
      post(request) {
        posted.push(request)
        serve(structuredClone(request))
      },
      end: async () => {},
    }),
  })
  return { pool, posted, done }
}

const passOf = (tensor: number): TensorPass => ({
  tensor,
  sources: [{ kind: 'file', file: 'a', dtype: 'F32', shape: [4], byteStart: 0 }],
  work: { kind: 'copy', input: 0, finite: undefined },
  output: { file: 'b', dtype: 'F32', byteStart: 0 },
  keep: false,
})
const taskOf = (pass: TensorPass): PassTask => ({ pass, ranges: [{ start: 0, end: 4 }], groups: [0] })

test('each task is one message, whatever has to be known or forgotten before it', async () => {
  const { pool, posted, done } = watchedPool()
  for (const tensor of [0, 1, 2]) {
    const pass = passOf(tensor)
    await pool.run(taskOf(pass), undefined)
    await pool.run(taskOf(pass), undefined)
    pool.forget(tensor)
  }
  expect(posted.map(({ kind }) => kind)).toEqual(['start', 'several', 'run', 'several', 'run', 'several', 'run'])
  expect(done).toEqual([
    'run 0 of 1',
    'run 0 of 1',
    'forget 0',
    'run 1 of 1',
    'run 1 of 1',
    'forget 1',
    'run 2 of 1',
    'run 2 of 1',
  ])
})

test('a task of matrices brings along what is to be forgotten', async () => {
  const { pool, done } = watchedPool()
  await pool.run(taskOf(passOf(0)), undefined)
  pool.forget(0)
  await pool.run({ tensor: 1, job: { kind: 'singular-values' } as never }, undefined)
  expect(done).toEqual(['run 0 of 1', 'forget 0', 'matrix 1'])
})
