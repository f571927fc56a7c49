import { exitStatus } from '../errors/exit-status.ts'

/** The signals that a merge cleans up after before it ends. */
const signals = ['SIGINT', 'SIGTERM'] as const

export interface Interruption {
  /** Fires at the first signal; a second one ends the process at once. */
  readonly signal: AbortSignal
  /** The exit status that tells of the signal; undefined if none came. */
  readonly status: number | undefined
  /** Takes SIGINT and SIGTERM over: until then they end the process at once. */
  listen(): void
  /** Leaves the signals to the system again. */
  release(): void
}

/** Creates what tells a merge to stop when the user or the system asks the process to end. */
export function createInterruption(): Interruption {
  const controller = new AbortController()
  let status: number | undefined
  const onSignal = (name: (typeof signals)[number]) => {
    status = exitStatus[name]
    release()
    controller.abort(new Error('interrupted'))
  }
  const release = () => signals.forEach((name) => process.off(name, onSignal))
  return {
    signal: controller.signal,
    get status() {
      return status
    },
    listen: () => signals.forEach((name) => process.on(name, onSignal)),
    release,
  }
}
