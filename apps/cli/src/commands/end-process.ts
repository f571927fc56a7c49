import { exitStatus } from '../errors/exit-status.ts'

/** How long what is still open may keep the process, after all that it was to do is done. */
const patienceMs = 2000

/**
 * Lets the process end with a status. One that tells of a signal ends by that signal, so that a shell's loop stops as well;
 * Windows has no such signals.
 */
export function endProcess(status: number): void {
  process.exitCode = status
  // A module of the user's may have left something running.
  setTimeout(() => process.exit(), patienceMs).unref()
  if (process.platform === 'win32') return
  if (status === exitStatus.SIGINT) process.kill(process.pid, 'SIGINT')
  if (status === exitStatus.SIGTERM) process.kill(process.pid, 'SIGTERM')
}
