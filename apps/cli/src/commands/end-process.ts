import { exitStatus } from '../errors/exit-status.ts'

/**
 * Lets the process end with a status. One that tells of a signal ends by that signal, so that a shell's loop stops as well;
 * Windows has no such signals.
 */
export function endProcess(status: number): void {
  process.exitCode = status
  if (process.platform === 'win32') return
  if (status === exitStatus.SIGINT) process.kill(process.pid, 'SIGINT')
  if (status === exitStatus.SIGTERM) process.kill(process.pid, 'SIGTERM')
}
