import type { Feeder } from './feed/feeder.ts'
import type { FeedRequest } from './feed/feed-messages.ts'
import type { WorkerAnswer, WorkerPort } from '../run/worker-port.ts'

/** A web worker, as far as a pool needs one. */
export interface WebWorker {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'error' | 'messageerror', listener: (event: { readonly message?: string }) => void): void
  terminate(): void
}

/** Makes a web worker one of a pool's, and feeds it. */
export function webPort(worker: WebWorker, feeder: Feeder): WorkerPort {
  const onFeedRequest = feeder.serve((answer, transfer) => worker.postMessage(answer, transfer))
  return {
    post: (request) => worker.postMessage(request, []),
    listen({ onAnswer, onEnd }) {
      worker.addEventListener('message', ({ data }) => {
        const answer = data as WorkerAnswer | FeedRequest
        if (answer.kind === 'ask' || answer.kind === 'spent') onFeedRequest(answer)
        else onAnswer(answer)
      })
      worker.addEventListener('error', ({ message }) => onEnd(message || 'its script could not be loaded'))
      worker.addEventListener('messageerror', () => onEnd('a message could not be read'))
    },
    end: async () => worker.terminate(),
  }
}
