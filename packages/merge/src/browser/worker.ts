// What a web worker of a merge runs. It starts by being loaded: `new Worker(new URL('…', import.meta.url), { type: 'module' })`.
import { type FilesPort, serveFiles } from './serve-files.ts'

interface WorkerScope {
  readonly importScripts?: unknown
  postMessage(message: unknown, transfer?: readonly ArrayBuffer[]): void
  addEventListener(
    type: 'message',
    listener: (event: { readonly data: Parameters<Parameters<FilesPort['listen']>[0]>[0] }) => void,
  ): void
}

const scope = globalThis as unknown as WorkerScope
// Imported anywhere but in a worker it has nobody to serve.
if (typeof scope.importScripts === 'function')
  serveFiles({
    post: (answer, transfer) => scope.postMessage(answer, transfer),
    listen: (onRequest) => scope.addEventListener('message', ({ data }) => onRequest(data)),
  })
