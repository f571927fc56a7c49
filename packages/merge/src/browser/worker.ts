// What a web worker of a merge runs. It starts by being loaded: `new Worker(new URL('…', import.meta.url), { type: 'module' })`.
import type { WorkerRequest } from '../run/worker-port.ts'
import { serveFiles } from './serve-files.ts'

interface WorkerScope {
  readonly importScripts?: unknown
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void
  addEventListener(type: 'message', listener: (event: { readonly data: WorkerRequest }) => void): void
}

const scope = globalThis as unknown as WorkerScope
// Imported anywhere but in a worker it has nobody to serve.
if (typeof scope.importScripts === 'function')
  serveFiles({
    post: (answer, transfer) => scope.postMessage(answer, transfer),
    listen: (onRequest) => scope.addEventListener('message', ({ data }) => onRequest(data)),
  })
