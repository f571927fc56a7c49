import type { WorkerAnswer, WorkerPort } from '../run/worker-port.ts'

/** A web worker, as far as a pool needs one. */
export interface WebWorker {
  postMessage(message: unknown): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'error' | 'messageerror', listener: (event: { readonly message?: string }) => void): void
  terminate(): void
}

/** Makes a web worker one of a pool's. */
export const webPort = (worker: WebWorker): WorkerPort => ({
  post: (request) => worker.postMessage(request),
  listen({ onAnswer, onEnd }) {
    worker.addEventListener('message', ({ data }) => onAnswer(data as WorkerAnswer))
    worker.addEventListener('error', ({ message }) => onEnd(message || 'its script could not be loaded'))
    worker.addEventListener('messageerror', () => onEnd('a message could not be read'))
  },
  end: async () => worker.terminate(),
})
