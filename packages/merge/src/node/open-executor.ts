import { createSourceReader } from '@mk/source/node'
import { createExecutor } from '../run/executor.ts'
import { openRuntime } from '../run/open-runtime.ts'
import type { TaskExecutor } from '../run/task.ts'
import type { ByteDifference, WorkerStart } from '../run/worker-port.ts'
import { createComparingWriter } from './comparing-writer.ts'
import { createOutputWriter } from './output-writer.ts'

/** Opens what carries out tasks in this thread, on files of this machine. @param onDifference told what is found where it is to compare */
export const openExecutor = async (
  { runtime, cacheBytes, compares }: WorkerStart,
  onDifference: (difference: ByteDifference) => void,
): Promise<TaskExecutor> =>
  createExecutor({
    runtime: await openRuntime(runtime),
    createReader: createSourceReader,
    writer: compares === true ? createComparingWriter(onDifference) : createOutputWriter(),
    cacheBytes,
  })
