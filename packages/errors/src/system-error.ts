/** What the operating system refused: Node's own kind of error, told from others by the name of the call. */
export interface SystemError extends Error {
  readonly code: string
  readonly syscall: string
  /** Absent where the call knew a number only, as reading does. */
  readonly path?: string
}

/** In words, what the codes of the system mean for whoever has to mend it. */
const words: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBUSY: 'another program has it in use',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file system takes no file of that size',
  EIO: 'the device reported an input/output error',
  EISDIR: 'it is a folder, not a file',
  ELOOP: 'its symbolic links lead in a circle',
  EMFILE: 'the limit on open files is reached; raise it (ulimit -n)',
  ENAMETOOLONG: 'a name in the path is too long',
  ENFILE: 'the machine has too many files open',
  ENOENT: 'there is no such file or folder',
  ENOMEM: 'the machine has no memory left',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ESTALE: 'the file server no longer knows it',
}

/** Tells whether the operating system refused a call. */
export const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && typeof (error as Partial<SystemError>).syscall === 'string'

/** Refuses a call as an operating system does, where files are not an operating system's. */
export const refuseCall = (code: 'ENOENT' | 'ENOTDIR' | 'EISDIR' | 'EIO', syscall: string, path: string): SystemError =>
  Object.assign(new Error(`${code}: ${words[code]!}, ${syscall} '${path}'`), { code, syscall, path })

/** Waits for what reads a file or folder; undefined where there is none, or only a link to nowhere. */
export const ifPresent = <T>(reading: Promise<T>): Promise<T | undefined> =>
  reading.catch((error: unknown) => {
    if (isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined
    throw error
  })

/** Says what went wrong with a file, in words where the system's code has them; else in Node's words without the call. */
export function systemReason(error: unknown): string {
  const { code, message = String(error) } = (error ?? {}) as Partial<SystemError>
  if (code !== undefined && Object.hasOwn(words, code)) return words[code]!
  return isSystemError(error) ? (/^\w+: ([^,]+)/.exec(message)?.[1] ?? message) : message
}

/** Runs what reads or writes a file; what the system refuses then names the file, also where the call knew a number only. */
export async function namingFile<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (isSystemError(error) && error.path === undefined) Object.assign(error, { path })
    throw error
  }
}
