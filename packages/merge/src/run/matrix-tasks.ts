import type { LinalgJob } from '@mk/linalg'
import type { DenseMatrix } from '@mk/tensor'
import type { RunProducts } from '@mk/tensor/runtime'
import type { PassWork, TaskResult, TensorPass } from './task.ts'
import type { WorkerPool } from './worker-pool.ts'

/** Makes what has the workers compute cross products, all of one request in one of them. */
export const productsOn =
  (pool: WorkerPool, pass: (work: PassWork) => TensorPass): RunProducts =>
  async (plan, requests, ranges) => {
    const task = { pass: pass({ kind: 'cross', plan, requests }), ranges, groups: ranges.map(() => 0) }
    return arraysOf(await pool.run(task, undefined))
  }

/** Makes what has a worker read a matrix that is an input. @param matrix which one is read of an input that has several */
export const matricesOn =
  (pool: WorkerPool, shapes: readonly (readonly number[])[], pass: (work: PassWork) => TensorPass, matrix = 0) =>
  async (slot: number): Promise<DenseMatrix> => {
    const [rows, columns] = shapes[slot]!.slice(-2) as [number, number]
    const count = rows * columns
    const start = shapes[slot]!.length === 3 ? matrix * count : 0
    const ranges = [{ start, end: start + count }]
    const found = await pool.run({ pass: pass({ kind: 'read', input: slot }), ranges, groups: [0] }, undefined)
    return { rows, columns, values: arraysOf(found)[0]! }
  }

/** Makes what has the workers compute with matrices in memory. */
export const linalgOn =
  (pool: WorkerPool, tensor: number) =>
  async (job: LinalgJob): Promise<readonly Float64Array[]> =>
    arraysOf(await pool.run({ tensor, job }, undefined))

const arraysOf = ({ results }: TaskResult) => results[0]!.result as readonly Float64Array[]
