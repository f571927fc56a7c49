import { createExecutor, openRuntime, type TaskExecutor, type WorkerStart } from '@mk/merge/run'
import { createSourceReader } from '@mk/source/node'
import { type ByteDifference, createComparingWriter } from './comparing-writer.ts'

/** Opens what carries out the tasks of a merge and compares the results with what is there. */
export const openComparingExecutor = async (
  { runtime, cacheBytes }: Pick<WorkerStart, 'runtime' | 'cacheBytes'>,
  onDifference: (difference: ByteDifference) => void,
): Promise<TaskExecutor> =>
  createExecutor({
    runtime: await openRuntime(runtime),
    createReader: createSourceReader,
    writer: createComparingWriter(onDifference),
    cacheBytes,
  })
