import { Worker } from 'node:worker_threads'

/** A bundle has the worker beside it, as an entry of its own. */
export const createWorker = () => new Worker(new URL('./merge-worker.mjs', import.meta.url))
