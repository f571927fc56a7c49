import { builtinMethods } from '@mk/methods'
import { elementCount } from '@mk/safetensors'
import type { Program } from '@mk/tensor/runtime'
import { expect, test } from 'vitest'
import type { MergePlan, PlannedTensor } from '../plan/merge-plan.ts'
import { smallBatch } from './batches.ts'
import { runTensors, trackProgress } from './run-tensors.ts'
import { serveTasks } from './serve-tasks.ts'
import { type PassTask, type TaskExecutor, type TensorPass, wasmRuntime } from './task.ts'
import { createWorkerPool, together } from './worker-pool.ts'
import type { WorkerAnswer, WorkerRequest } from './worker-port.ts'

/** A pool of one worker in this thread, what is posted to it, and what it carries out. */
function watchedPool() {
  const posted: WorkerRequest[] = []
  const done: string[] = []
  const answered: string[] = []
  const executor: TaskExecutor = {
    async run(task) {
      done.push('pass' in task ? `run ${task.pass.tensor} of ${task.pass.sources.length}` : `matrix ${task.tensor}`)
      return { results: [] }
    },
    forget: (tensor) => void done.push(`forget ${tensor}`),
    close: async () => {},
  }
  let serve: (request: WorkerRequest) => void
  let answer: (answer: WorkerAnswer) => void
  const tell = (message: WorkerAnswer) => {
    answered.push(message.kind)
    answer(message)
  }
  serveTasks({ listen: (onRequest) => (serve = onRequest), post: tell }, async () => executor)
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
  return { pool, posted, done, answered }
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

const kernelOf = (tensor: number): TensorPass => ({
  ...passOf(tensor),
  work: { kind: 'kernel', program, programKey: 'key', scalars: [tensor], vectors: [], columns: 4 },
})
const program: Program = { inputs: [], instructions: [], outputs: [] } as never

test('small tasks go together, as many as are worth a message, and so do their results', async () => {
  const { pool, posted, done, answered } = watchedPool()
  const results = Array.from({ length: 100 }, (_, tensor) =>
    pool.run({ ...taskOf(passOf(tensor)), isOnly: true }, undefined),
  )
  await Promise.all(results)
  expect(done).toEqual(Array.from({ length: 100 }, (_, tensor) => `run ${tensor} of 1`))
  // The first one goes at once, as the worker has nothing to do.
  expect(posted.length).toBeLessThanOrEqual(2 + Math.ceil(99 / together.tasks) + 1)
  expect(answered.length).toBe(posted.length - 1)
})

test('tasks that are worth a message go at once, two to a worker', async () => {
  const { pool, posted } = watchedPool()
  const ranges = [{ start: 0, end: together.elements }]
  const results = [0, 1, 2, 3].map((tensor) => pool.run({ ...taskOf(passOf(tensor)), ranges, isOnly: true }, undefined))
  expect(posted.map(({ kind }) => kind)).toEqual(['start', 'once', 'once'])
  await Promise.all(results)
  expect(posted.map(({ kind }) => kind)).toEqual(['start', 'once', 'once', 'once', 'once'])
})

test('a program is posted once, and of a tensor with one task there is nothing to forget', async () => {
  const { pool, posted, done } = watchedPool()
  for (const tensor of [0, 1, 2]) {
    await pool.run({ ...taskOf(kernelOf(tensor)), isOnly: true }, undefined)
    pool.forget(tensor)
  }
  const requests = posted.flatMap((request) => (request.kind === 'several' ? request.requests : [request]))
  expect(requests.map(({ kind }) => kind)).toEqual(['start', 'program', 'once', 'once', 'once'])
  expect(done).toEqual(['run 0 of 1', 'run 1 of 1', 'run 2 of 1'])
})

/** Tensors of one shape, one after the other in all files, merged linearly. */
function planOf(count: number, shape: readonly number[]): MergePlan {
  const bytes = 2 * elementCount(shape)
  const tensors = Array.from({ length: count }, (_, index): PlannedTensor => {
    const source = { kind: 'file', dtype: 'BF16', shape, byteStart: index * bytes } as const
    const models = ['a', 'b'].map((file, input) => ({ input, name: `${index}`, source: { ...source, file } }))
    const operation = { kind: 'merge', models, parameters: { weight: [1, 1], normalize: true } } as const
    return { name: `${index}`, dtype: 'BF16', shape, file: 0, byteStart: index * bytes, operation }
  })
  const plan = { version: 1, method: 'linear', seed: 0, files: [], documents: [], copies: [], notes: [], warnings: [] }
  const inputs = ['a', 'b'].map((label) => ({ label, folder: undefined, states: {} }))
  return { ...plan, inputs, tensors } as MergePlan
}

async function carryOut(plan: MergePlan) {
  const watched = watchedPool()
  const finished: number[] = []
  const output = {
    files: ['out'],
    finished: new Set<number>(),
    nonFinite: () => [],
    finish: async (tensor: number) => void finished.push(tensor),
  }
  const progress = trackProgress(plan, new Set(), undefined)
  await runTensors(plan, { methods: builtinMethods }, { pool: watched.pool, output, progress })
  expect(finished.toSorted((a, b) => a - b)).toEqual(plan.tensors.map((_, index) => index))
  return watched
}

test('eight tensors of 8 MB are one message and one answer as long as many are left, then fewer, then each is one', async () => {
  const { posted, answered } = await carryOut(planOf(200, [2048, 2048]))
  // Each is a fourth of what is left then, and the last ones are shared out, since no others are left to do beside them.
  const [first, perBatch, halving, last] = [2, 8, 32, 2 * 4 + 2 * 2]
  expect(posted.length).toBeLessThanOrEqual(1 + first + Math.ceil((200 - halving) / perBatch) + halving / 4 + last)
  expect(answered.length).toBe(posted.length - 1)
})

test('a large tensor of many is a message and an answer for 64 MB of it', async () => {
  const count = 40
  const { posted } = await carryOut(planOf(count, [2 ** 13, 2 ** 13]))
  const requests = posted.flatMap((request) => (request.kind === 'several' ? request.requests : [request]))
  const tasks = requests.filter(({ kind }) => kind === 'run' || kind === 'once')
  // The last four are shared out in tasks of 8 MB.
  expect(tasks.length).toBeLessThanOrEqual(2 * (count - 4) + 4 * 2 ** 4)
})

test('of tensors of 1 KB, 500 are one message and one answer once their kind is known', async () => {
  const { posted, answered } = await carryOut(planOf(10_000, [16, 32]))
  const [first, perBatch] = [2 * together.tasks, smallBatch.elements / 512]
  expect(posted.length).toBeLessThanOrEqual(1 + first + Math.ceil(10_000 / perBatch))
  expect(answered.length).toBe(posted.length - 1)
})

test('a worker that is to close begins nothing more, and stops the task that it carries out', async () => {
  const done: string[] = []
  const posted: WorkerAnswer[] = []
  let fail: ((error: Error) => void) | undefined
  const executor: TaskExecutor = {
    run(task) {
      done.push(`run ${'pass' in task ? task.pass.tensor : task.tensor}`)
      return new Promise((_, reject) => (fail = reject))
    },
    forget: (tensor) => void done.push(`forget ${tensor}`),
    stop() {
      done.push('stop')
      fail?.(new Error('stopped'))
    },
    close: async () => void done.push('close'),
  }
  let serve: (request: WorkerRequest) => void
  serveTasks(
    { listen: (onRequest) => (serve = onRequest), post: (answer) => void posted.push(answer) },
    async () => executor,
  )
  const job = { kind: 'none' } as never
  serve!({ kind: 'start', start: { runtime: wasmRuntime, cacheBytes: 0 } })
  for (const tensor of [0, 1]) serve!({ kind: 'matrix', id: tensor, task: { tensor, job } })
  serve!({ kind: 'forget', tensor: 1 })
  await expect.poll(() => done).toEqual(['run 0'])
  serve!({ kind: 'close' })
  await expect.poll(() => posted.map(({ kind }) => kind)).toEqual(['failed', 'closed'])
  expect(done).toEqual(['run 0', 'stop', 'close'])
})
