import { parentPort, workerData } from 'node:worker_threads'
import { createExecutor } from './executor.ts'
import { portableError } from './portable-error.ts'
import type { RuntimeSpecifier } from './task.ts'
import type { WorkerAnswer, WorkerRequest } from './worker-pool.ts'

const { runtime, cacheBytes } = workerData as { runtime: RuntimeSpecifier; cacheBytes: number }
const port = parentPort!
const answer = (message: WorkerAnswer) => port.postMessage(message)

const opening = createExecutor(runtime, { cacheBytes })
opening.catch(() => {})
let previous: Promise<unknown> = Promise.resolve()

port.on('message', (request: WorkerRequest) => {
  previous = previous.then(() => handle(request))
})

async function handle(request: WorkerRequest): Promise<void> {
  try {
    const executor = await opening
    switch (request.kind) {
      case 'run':
        return answer({ kind: 'done', id: request.id, result: await executor.run(request.task) })
      case 'forget':
        return executor.forget(request.tensor)
      case 'close':
        await executor.close()
        return port.close()
      default:
        return request satisfies never
    }
  } catch (error) {
    answer({ kind: 'failed', error: portableError(error) })
  }
}
