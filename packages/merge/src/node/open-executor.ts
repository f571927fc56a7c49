import { createSourceReader } from '@mk/source/node'
import { createExecutor } from '../run/executor.ts'
import { openRuntime } from '../run/open-runtime.ts'
import type { TaskExecutor } from '../run/task.ts'
import type { WorkerStart } from '../run/worker-port.ts'
import { createOutputWriter } from './output-writer.ts'

/** Opens what carries out tasks in this thread, on files of this machine. */
export const openExecutor = async ({ runtime, cacheBytes }: WorkerStart): Promise<TaskExecutor> =>
  createExecutor({
    runtime: await openRuntime(runtime),
    createReader: createSourceReader,
    writer: createOutputWriter(),
    cacheBytes,
  })
