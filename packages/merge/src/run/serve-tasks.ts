import { packError } from '@mk/errors'
import { packResult } from './pack-results.ts'
import type { TaskExecutor, TensorPass } from './task.ts'
import type { PoolPort, WorkerRequest, WorkerStart } from './worker-port.ts'

/** Carries out the tasks of a pool, one after the other: all that a worker does. */
export function serveTasks(port: PoolPort, open: (start: WorkerStart) => Promise<TaskExecutor>): void {
  let opening: Promise<TaskExecutor> | undefined
  const tensors = new Map<number, Pick<TensorPass, 'sources' | 'merged'>>()
  const passes = new Map<number, TensorPass>()
  let previous: Promise<unknown> = Promise.resolve()
  port.listen((request) => {
    previous = previous.then(() => handle(request))
  })

  async function handle(request: WorkerRequest): Promise<void> {
    try {
      if (request.kind === 'start') opening = open(request.start)
      const executor = await opening!
      switch (request.kind) {
        case 'start':
          return
        case 'tensor': {
          const { tensor, sources, merged } = request
          return void tensors.set(tensor, { sources, ...(merged && { merged }) })
        }
        case 'pass':
          return void passes.set(request.id, { ...request.pass, ...tensors.get(request.pass.tensor)! })
        case 'run': {
          const { id, ranges, groups, gathered } = request
          const result = await executor.run({
            pass: passes.get(request.pass)!,
            ranges,
            groups,
            ...(gathered && { gathered }),
          })
          return port.post({ kind: 'done', id, result: packResult(result) })
        }
        case 'matrix': {
          const { id, task } = request
          return port.post({ kind: 'done', id, result: await executor.run(task) })
        }
        case 'forget':
          tensors.delete(request.tensor)
          for (const [id, { tensor }] of passes) if (tensor === request.tensor) passes.delete(id)
          return executor.forget(request.tensor)
        case 'several':
          for (const each of request.requests) await handle(each)
          return
        default:
          return request satisfies never
      }
    } catch (error) {
      port.post({ kind: 'failed', error: packError(error) })
    }
  }
}
