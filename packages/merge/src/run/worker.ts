import { parentPort, workerData } from 'node:worker_threads'
import { packError } from '@mk/errors'
import { createExecutor } from './executor.ts'
import type { RuntimeSpecifier, TensorPass } from './task.ts'
import type { WorkerAnswer, WorkerRequest } from './worker-pool.ts'

const { runtime, cacheBytes } = workerData as { runtime: RuntimeSpecifier; cacheBytes: number }
const port = parentPort!
const answer = (message: WorkerAnswer) => port.postMessage(message)

const opening = createExecutor(runtime, { cacheBytes })
opening.catch(() => {})
const tensors = new Map<number, TensorPass['sources']>()
const passes = new Map<number, TensorPass>()
let previous: Promise<unknown> = Promise.resolve()

port.on('message', (request: WorkerRequest) => {
  previous = previous.then(() => handle(request))
})

async function handle(request: WorkerRequest): Promise<void> {
  try {
    const executor = await opening
    switch (request.kind) {
      case 'tensor':
        return void tensors.set(request.tensor, request.sources)
      case 'pass':
        return void passes.set(request.id, { ...request.pass, sources: tensors.get(request.pass.tensor)! })
      case 'run': {
        const { id, ranges, groups } = request
        return answer({
          kind: 'done',
          id,
          result: await executor.run({ pass: passes.get(request.pass)!, ranges, groups }),
        })
      }
      case 'forget':
        tensors.delete(request.tensor)
        for (const [id, { tensor }] of passes) if (tensor === request.tensor) passes.delete(id)
        return executor.forget(request.tensor)
      default:
        return request satisfies never
    }
  } catch (error) {
    answer({ kind: 'failed', error: packError(error) })
  }
}
