import { MergeError } from '../errors.ts'
import { systemReason } from '@mk/errors'

/** Runs what makes ready to write into a folder. @throws MergeError 'output-unwritable' where the system refuses; those of `run` */
export async function preparing<T>(folder: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    if (cause instanceof MergeError) throw cause
    throw new MergeError({ code: 'output-unwritable', folder, reason: systemReason(cause) }, { cause })
  }
}

/** Runs what writes into a folder. @throws MergeError 'write-failed' where the system refuses; those of `run` */
export async function writing(folder: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (cause) {
    if (cause instanceof MergeError) throw cause
    const file = (cause as NodeJS.ErrnoException).path ?? folder
    throw new MergeError({ code: 'write-failed', file, reason: systemReason(cause) }, { cause })
  }
}
