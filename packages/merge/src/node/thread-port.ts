import { Worker } from 'node:worker_threads'
import type { WorkerPort } from '../run/worker-port.ts'

/** Starts a thread that runs this package's own worker. */
export const startThread = (): Worker =>
  new Worker(new URL('./worker.js', import.meta.url), {
    // Flags such as --input-type are for the main script only.
    execArgv: process.execArgv.filter((flag) => !flag.startsWith('--input-type')),
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  })

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
