import { Worker } from 'node:worker_threads'
import { withProcessFlags } from '@mk/errors/threads'
import type { WorkerPort } from '../run/worker-port.ts'

/** Starts a thread that runs this package's own worker. */
export const startThread = (): Worker =>
  withProcessFlags(
    (flags) =>
      new Worker(new URL('./worker.js', import.meta.url), {
        ...flags,
        resourceLimits: { maxYoungGenerationSizeMb: 2 },
      }),
  )

/** A thread that loads what it runs while the plan that it is for is still being made. */
export interface ThreadAhead {
  /** Gives the thread, if it is still there and works, and from then on new ones. */
  readonly createWorker: () => Worker
  /** Ends it, unless it was taken. */
  close(): Promise<void>
}

/** Starts a thread for a merge that is about to be planned; until it is taken the process doesn't wait for it. */
export function startThreadAhead(): ThreadAhead {
  let waiting: Worker | undefined = startThread()
  waiting.unref()
  // One that can't start tells so again when it is started anew.
  const drop = () => (waiting = undefined)
  waiting.once('error', drop).once('exit', drop)
  const take = (): Worker | undefined => {
    const taken = waiting?.off('error', drop).off('exit', drop)
    waiting = undefined
    return taken
  }
  return {
    createWorker() {
      const taken = take()
      taken?.ref()
      return taken ?? startThread()
    },
    close: async () => void (await take()?.terminate()),
  }
}

/** Makes a thread one of a pool's. */
export const threadPort = (worker: Worker): WorkerPort => ({
  post: (request) => worker.postMessage(request),
  listen({ onAnswer, onEnd }) {
    worker.on('message', onAnswer)
    worker.on('error', (cause) => onEnd(cause.message, cause))
    worker.on('exit', (status) => onEnd(`it ended with status ${status}`))
  },
  end: async () => void (await worker.terminate()),
})
