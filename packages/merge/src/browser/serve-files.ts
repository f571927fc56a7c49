import { createReaderOver } from '@mk/source'
import { createFileMap, type FileMap } from '@mk/source/web'
import { createExecutor } from '../run/executor.ts'
import { openRuntime } from '../run/open-runtime.ts'
import { serveTasks } from '../run/serve-tasks.ts'
import type { WorkerAnswer, WorkerRequest } from '../run/worker-port.ts'
import { createWorkerFeed, type WorkerFeed } from './feed/feed.ts'
import type { FeedAnswer, FeedRequest } from './feed/feed-messages.ts'
import { createHandleWriter, type OutputHandles } from './handle-writer.ts'

/** A pool of a browser as its worker sees it. */
export interface FilesPort {
  /** @param transfer buffers that go over without a copy */
  post(answer: WorkerAnswer | FeedRequest, transfer?: ArrayBuffer[]): void
  listen(onRequest: (request: WorkerRequest | FeedAnswer) => void): void
}

/** What a worker is started with. */
export interface WorkerFiles {
  readonly inputs: FileMap
  readonly outputs: OutputHandles
}

/** Carries out the tasks of a pool on the files that it is started with, and writes, or hands over what it can't write. */
export function serveFiles(port: FilesPort): void {
  let feed: WorkerFeed | undefined
  serveTasks(
    {
      post: (answer, transfer) => port.post(answer, transfer),
      listen: (onRequest) =>
        port.listen((request) => (request.kind === 'piece' ? feed!.take(request) : onRequest(request))),
    },
    async ({ runtime, cacheBytes, files }) => {
      const { inputs, outputs } = files as WorkerFiles
      const fed = (feed = createWorkerFeed(inputs, (request, transfer) => port.post(request, transfer)))
      const atOnce = createFileMap(inputs).openFiles()
      const [opened, writer] = await Promise.all([openRuntime(runtime), createHandleWriter(outputs, port)])
      return createExecutor({
        runtime: opened,
        createReader: (options) =>
          createReaderOver(
            {
              read: (file, byteStart, into) => fed.read(file, byteStart, into) || atOnce.read(file, byteStart, into),
              close: () => atOnce.close(),
            },
            options,
          ),
        writer,
        cacheBytes,
        feed: fed,
      })
    },
  )
}
