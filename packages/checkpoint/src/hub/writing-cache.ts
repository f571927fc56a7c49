import { systemReason } from '@mk/errors'
import { CheckpointError } from '../errors.ts'

/** Tells what the operating system says about the cache as what it is. @throws `hub-cache-…` */
export async function writingCache<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { errno, code = '', path } = error as NodeJS.ErrnoException
    if (typeof errno !== 'number' || (path !== undefined && !path.startsWith(folder) && !folder.startsWith(path)))
      throw error
    const isRefused = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code)
    const reason = systemReason(error)
    throw new CheckpointError(
      { code: isRefused ? 'hub-cache-unwritable' : 'hub-cache-failed', folder, reason },
      { cause: error },
    )
  }
}
