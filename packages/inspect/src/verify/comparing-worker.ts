// What a worker thread of a verification runs: that of a merge, but that it compares where a merge writes.
import { parentPort } from 'node:worker_threads'
import { serveTasks } from '@mk/merge/run'
import { openComparingExecutor } from './open-comparing-executor.ts'

const port = parentPort
if (port !== null)
  serveTasks(
    { post: (answer) => port.postMessage(answer), listen: (onRequest) => port.on('message', onRequest) },
    (start) => openComparingExecutor(start, (difference) => port.postMessage({ kind: 'differs', difference })),
  )
