import type { LinalgJob } from '@mk/linalg'
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

/** Makes what has the workers compute with matrices in memory. */
export const linalgOn =
  (pool: WorkerPool, tensor: number) =>
  async (job: LinalgJob): Promise<readonly Float64Array[]> =>
    arraysOf(await pool.run({ tensor, job }, undefined))

const arraysOf = ({ results }: TaskResult) => results[0]!.result as readonly Float64Array[]
