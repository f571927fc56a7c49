/** Says what went wrong with a file, in words where the system's code has them. */
export function writeReason(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException
  const words: Record<string, string> = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOTDIR: 'a part of the path is a file, not a folder',
    EFBIG: 'the file system takes no file of that size',
    EIO: 'the device reported an input/output error',
  }
  return (code !== undefined && words[code]) || message
}
