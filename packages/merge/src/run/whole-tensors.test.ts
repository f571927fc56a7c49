import { builtinMethods, type MethodDefinition } from '@mk/methods'
import { createReaderOver } from '@mk/source'
import { encode } from '@mk/tensor'
import { createReferenceRuntime } from '@mk/tensor/runtime'
import { describe, expect, test } from 'vitest'
import { createTensorFiles } from '../memory/tensor-files.ts'
import type { MergePlan, PlannedTensor } from '../plan/merge-plan.ts'
import { prepareMergeAt } from '../prepare/prepare-merge.ts'
import type { Recipe } from '../recipe.ts'
import { createExecutor } from './executor.ts'
import type { NonFiniteCounts } from './non-finite.ts'
import { runTensors, trackProgress } from './run-tensors.ts'
import { runWhole } from './run-whole.ts'
import { serveTasks } from './serve-tasks.ts'
import { areManySmall, createSmallBatch, isOneOfMany, isSmall, wholeTensor } from './whole-tensors.ts'
import { type TaskExecutor, wasmRuntime } from './task.ts'
import { createInlinePool, createWorkerPool, type WorkerPool } from './worker-pool.ts'
import type { WorkerAnswer, WorkerRequest } from './worker-port.ts'

const count = 270
const elementCount = 24
const names = Array.from({ length: count }, (_, index) => `layers.${Math.floor(index / 10)}.part${index % 10}.weight`)

/** Tensors of two shapes in turns; some values of `spoiled` are infinite. */
const model = (seed: number, spoiled: readonly number[] = []) => ({
  tensors: new Map(
    names.map((name, index) => {
      const values = Float32Array.from({ length: elementCount }, (_, i) => Math.sin(seed * 3 + index + 7 * i) / 8)
      if (spoiled.includes(index)) values[5] = Infinity
      const bytes = new Uint8Array(2 * elementCount)
      encode('BF16', values, bytes, 0)
      return [name, { dtype: 'BF16' as const, shape: index % 3 === 1 ? [elementCount] : [4, 6], bytes }]
    }),
  ),
})
const models = { a: model(1), b: model(2), c: model(3), spoiled: model(3, [50, 251]) }
const store = createTensorFiles(models)

async function planOf(recipe: Recipe, methods: ReadonlyMap<string, MethodDefinition> = builtinMethods) {
  const site = { store, current: '/', allowNoConfig: true }
  return (await prepareMergeAt(site, { recipe, methods, seed: 3 })).download()
}

/** What carries out tasks in this thread, and writes into the bytes of an output. */
const executorInto = (bytes: Uint8Array) =>
  createExecutor({
    runtime: createReferenceRuntime(),
    createReader: (parts) => createReaderOver(store.openFiles(), parts),
    writer: { write: (_, position, written) => bytes.set(written, position), close() {} },
    cacheBytes: 2 ** 16,
  })

/** Workers in this thread, and what they are told. */
function workersInto(bytes: Uint8Array, threads: number) {
  const posted: WorkerRequest[] = []
  const startWorker = () => {
    let serve: (request: WorkerRequest) => void
    let answer: (answer: WorkerAnswer) => void
    serveTasks(
      { listen: (onRequest) => (serve = onRequest), post: (told) => answer(structuredClone(told)) },
      async () => executorInto(bytes),
    )
    return {
      listen: ({ onAnswer }: { onAnswer(answer: WorkerAnswer): void }) => void (answer = onAnswer),
      post(request: WorkerRequest) {
        posted.push(...(request.kind === 'several' ? request.requests : [request]))
        serve(structuredClone(request))
      },
      end: async () => {},
    }
  }
  return {
    posted,
    pool: createWorkerPool({ threads, start: { runtime: wasmRuntime, cacheBytes: 2 ** 16 }, startWorker }),
  }
}

/** Carries out tensors of a plan. */
async function carryOut(
  plan: MergePlan,
  poolInto: (bytes: Uint8Array) => WorkerPool,
  {
    methods = builtinMethods,
    tensors = plan.tensors,
  }: { methods?: typeof builtinMethods; tensors?: typeof plan.tensors } = {},
) {
  const bytes = new Uint8Array(plan.files[0]!.fileBytes)
  const pool = poolInto(bytes)
  const nonFinite: [string, NonFiniteCounts][] = []
  const warnings: string[] = []
  const part = { ...plan, tensors }
  const output = {
    files: ['out'],
    finished: new Set<number>(),
    nonFinite: () => [],
    finish: async (index: number, found?: NonFiniteCounts) => {
      if (found !== undefined) nonFinite.push([tensors[index]!.name, found])
    },
  }
  const onWarning = (message: string) => void warnings.push(message)
  try {
    await runTensors(
      part,
      { methods, onWarning },
      { pool, output, progress: trackProgress(part, new Set(), undefined) },
    )
  } finally {
    await pool.close()
  }
  return { bytes, nonFinite: nonFinite.toSorted(([a], [b]) => a.localeCompare(b)), warnings: warnings.toSorted() }
}

const inline = (bytes: Uint8Array) => createInlinePool(executorInto(bytes))

/** Some tensors of a plan, so few that each is its own. */
const someOf = (plan: MergePlan) => plan.tensors.filter(({ name }) => /\.[05]\.|\.25\./.test(name))

const bytesOf = (tensors: readonly PlannedTensor[], bytes: Uint8Array) =>
  tensors.map(({ byteStart }) => bytes.slice(byteStart, byteStart + 2 * elementCount))

const recipeOf = (merge_method: string, models: readonly string[], parameters: object): Recipe =>
  ({
    merge_method,
    base_model: 'a',
    models: models.map((name) => ({ model: name })),
    parameters,
    dtype: 'bfloat16',
  }) as unknown as Recipe
const ties = recipeOf('ties', ['b', 'spoiled'], { weight: 0.5, density: 0.5 })

describe.each([
  ['ties', ties, 2],
  ['dare_ties with a gradient', recipeOf('dare_ties', ['b', 'c'], { weight: [0.2, 0.7], density: 0.5 }), 0],
  ['slerp', recipeOf('slerp', ['a', 'c'], { t: 0.3 }), 0],
  ['arcee_fusion', recipeOf('arcee_fusion', ['a', 'spoiled'], {}), 2],
])('small tensors by %s', (_, recipe, spoiledCount) => {
  test('are carried out by workers as a whole, with the bytes and findings of single ones', async () => {
    const plan = await planOf(recipe)
    const some = someOf(plan)
    const alone = await carryOut(plan, inline, { tensors: some })
    let posted: readonly WorkerRequest[] = []
    const together = await carryOut(plan, (bytes) => {
      const workers = workersInto(bytes, 3)
      posted = workers.posted
      return workers.pool
    })
    expect(bytesOf(some, together.bytes)).toEqual(bytesOf(some, alone.bytes))
    expect(together.nonFinite).toEqual(alone.nonFinite)
    expect(together.nonFinite.map(([name]) => name)).toEqual([names[251], names[50]].slice(2 - spoiledCount))
    const inTasks = posted.flatMap((request) => (request.kind === 'whole' ? request.task.whole : []))
    expect(inTasks.reduce((sum, { names: ofTask }) => sum + ofTask.length, 0)).toBeGreaterThan(count / 4)
  })
})

test('a worker carries a tensor out alone as long as there is enough else to do', async () => {
  const plan = await planOf(ties)
  // Too few small ones for tasks of several.
  const some = plan.tensors.slice(0, 250)
  const passByPass = await carryOut(plan, inline, { tensors: some })
  let posted: readonly WorkerRequest[] = []
  const whole = await carryOut(
    plan,
    (bytes) => {
      const workers = workersInto(bytes, 2)
      posted = workers.posted
      return workers.pool
    },
    { tensors: some },
  )
  expect(bytesOf(some, whole.bytes)).toEqual(bytesOf(some, passByPass.bytes))
  expect(whole.nonFinite).toEqual(passByPass.nonFinite)
  const alone = posted.flatMap((request) => (request.kind === 'whole' ? [request.task.whole] : []))
  // Not the first ones, of which it isn't known yet that they take passes, nor the last, which all workers share.
  expect(alone.length).toBeGreaterThan(50)
  expect(alone.every(([tensors, ...others]) => tensors!.names.length === 1 && others.length === 0)).toBe(true)
})

test('after an error in a part of a tensor at most one more is begun, which has ended when the error is told', async () => {
  const plan = await planOf(recipeOf('slerp', ['a', 'c'], { t: 0.3 }))
  const [tensor] = plan.tensors as [PlannedTensor]
  const shape = [2 ** 13, 2 ** 13]
  let [begun, running] = [0, 0]
  const executor: TaskExecutor = {
    run() {
      running++
      return new Promise((_, reject) => {
        setTimeout(() => {
          running--
          reject(new Error(`the disk is gone in part ${++begun}`))
        })
      })
    },
    forget() {},
    close: async () => {},
  }
  const { task } = wholeTensor(plan, ['out'], 0, { ...tensor, shape }, builtinMethods.get('slerp')!)
  await expect(runWhole(executor, task)).rejects.toThrow('the disk is gone in part 1')
  expect(running).toBe(0)
  expect(begun).toBeLessThanOrEqual(2)
})

test('an error of a method is the same from a worker, with its tensor', async () => {
  const plan = await planOf(recipeOf('slerp', ['a', 'spoiled'], { t: 0.3 }))
  // The first ones, of which it isn't known yet that they take passes, are single tasks.
  const tensors = plan.tensors.filter(({ name }) => name !== names[50])
  await expect(carryOut(plan, (bytes) => workersInto(bytes, 1).pool, { tensors })).rejects.toThrow(
    `${names[251]}: spoiled holds NaN or infinite values`,
  )
})

test('of 1 KB a task has 128', async () => {
  const plan = await planOf(ties)
  const method = builtinMethods.get('ties')!
  const batch = createSmallBatch(plan, ['out'])
  expect(plan.tensors.filter((tensor, index) => batch.add(index, tensor, method))).toHaveLength(128)
  const { indexes, elements, task } = batch.finish()!
  expect([indexes.length, elements]).toEqual([128, 128 * elementCount])
  // Tensors of two shapes, each with a number for the output and one for each of three models.
  expect(task.whole.map(({ names: some, byteStarts }) => byteStarts.length / some.length)).toEqual([4, 4])
})

test('only what needs neither other tensors nor a method of the user’s own is small', async () => {
  const method = builtinMethods.get('ties')!
  const [tensor] = (await planOf(ties)).tensors as [PlannedTensor]
  const merge = tensor.operation as Extract<PlannedTensor['operation'], { kind: 'merge' }>
  expect(isSmall(tensor, method)).toBe(true)
  const own = { ...method }
  expect(isSmall(tensor, own)).toBe(false)
  expect(isSmall({ ...tensor, shape: [2 ** 8, 2 ** 8] }, method)).toBe(false)
  expect(isSmall({ ...tensor, operation: { kind: 'copy', input: merge.models[0]! } }, method)).toBe(false)
  const ofStage = { ...merge.models[0]!, source: { ...merge.models[0]!.source, kind: 'merged' } as never }
  expect(isSmall({ ...tensor, operation: { ...merge, models: [ofStage] } }, method)).toBe(false)
  expect(areManySmall(Array(255).fill(tensor), () => method)).toBe(false)
  expect(areManySmall(Array(256).fill(tensor), () => method)).toBe(true)
})

test('one of many is what leaves the other workers twice as much as it is, and needs no other merge', async () => {
  const method = builtinMethods.get('ties')!
  const [tensor] = (await planOf(ties)).tensors as [PlannedTensor]
  const merge = tensor.operation as Extract<PlannedTensor['operation'], { kind: 'merge' }>
  const left = { following: 4 * elementCount, workers: 2 }
  expect(isOneOfMany(tensor, method, left)).toBe(true)
  expect(isOneOfMany(tensor, method, { ...left, following: 4 * elementCount - 1 })).toBe(false)
  expect(isOneOfMany(tensor, method, { ...left, workers: 3 })).toBe(false)
  expect(isOneOfMany(tensor, { ...method }, left)).toBe(false)
  expect(isOneOfMany({ ...tensor, share: { from: 0, to: 0.5 } }, method, left)).toBe(false)
  expect(isOneOfMany({ ...tensor, shape: [2 ** 14, 2 ** 14] }, method, { following: 1e12, workers: 2 })).toBe(true)
  expect(isOneOfMany({ ...tensor, shape: [2 ** 14, 2 ** 15] }, method, { following: 1e12, workers: 2 })).toBe(false)
  const { source } = merge.models[0]!
  const crop = { kind: 'crop', dtype: 'BF16', shape: tensor.shape, source } as const
  const of = (each: object) => ({ ...tensor, operation: { ...merge, models: [{ ...merge.models[0]!, source: each }] } })
  expect(isOneOfMany(of(crop) as PlannedTensor, method, left)).toBe(true)
  const ofStage = { ...crop, source: { kind: 'merged', stage: 's', tensor: 't', dtype: 'BF16', shape: tensor.shape } }
  expect(isOneOfMany(of(ofStage) as PlannedTensor, method, left)).toBe(false)
})

test('what methods warn of is told of each tensor', async () => {
  const plan = await planOf(recipeOf('ties', ['b', 'c'], { weight: 0.5, density: 0.01 }))
  const { warnings } = await carryOut(plan, (bytes) => workersInto(bytes, 2).pool)
  expect(warnings).toHaveLength(2 * count)
  expect(warnings.filter((text) => text.startsWith(`${names[200]}: density 0.01 of `))).toHaveLength(2)
})
