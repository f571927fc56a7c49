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
  /**
   * Leaves the signals to the system until the event loop turns: what runs until then may never come back, and a handler would not
   * be called.
   */
  leaveUntilTurn(): void
  /** Leaves the signals to the system again. */
  release(): void
}

/** Creates what tells a merge to stop when the user or the system asks the process to end. */
export function createInterruption(): Interruption {
  const controller = new AbortController()
  let status: number | undefined
  let isListening = false
  const onSignal = (name: (typeof signals)[number]) => {
    status = exitStatus[name]
    release()
    controller.abort(new Error('interrupted'))
  }
  const off = () => signals.forEach((name) => process.off(name, onSignal))
  const on = () => signals.forEach((name) => process.on(name, onSignal))
  let turn: NodeJS.Immediate | undefined
  const release = () => {
    clearImmediate(turn)
    isListening = false
    off()
  }
  return {
    signal: controller.signal,
    get status() {
      return status
    },
    listen() {
      isListening = true
      on()
    },
    leaveUntilTurn() {
      if (!isListening) return
      off()
      clearImmediate(turn)
      turn = setImmediate(on)
    },
    release,
  }
}
