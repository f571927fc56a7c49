// What a worker thread of a merge runs. It starts by being loaded: `new Worker(new URL(import.meta.resolve('@mk/merge/worker')))`.
import { parentPort } from 'node:worker_threads'
import { serveTasks } from '../run/serve-tasks.ts'
import { makeFirstKernel } from './make-first-kernel.ts'
import { openExecutor } from './open-executor.ts'

const port = parentPort
// Imported anywhere but in a worker it has nobody to serve.
if (port !== null) {
  serveTasks(
    { post: (answer) => port.postMessage(answer), listen: (onRequest) => port.on('message', onRequest) },
    (start) => openExecutor(start, ({ file, position }) => port.postMessage({ kind: 'differs', file, position })),
  )
  setImmediate(makeFirstKernel)
}
