import { createReaderOver } from '@mk/source'
import { createFileMap, type FileMap } from '@mk/source/web'
import { createExecutor } from '../run/executor.ts'
import { openRuntime } from '../run/open-runtime.ts'
import { serveTasks } from '../run/serve-tasks.ts'
import type { PoolPort } from '../run/worker-port.ts'
import { createPostingWriter } from './posting-writer.ts'

/** Carries out the tasks of a pool on the files that it is started with, and hands over what they write. */
export const serveFiles = (port: PoolPort): void =>
  serveTasks(port, async ({ runtime, cacheBytes, files }) =>
    createExecutor({
      runtime: await openRuntime(runtime),
      createReader: (options) => createReaderOver(createFileMap(files as FileMap).openFiles(), options),
      writer: createPostingWriter(port),
      cacheBytes,
    }),
  )
