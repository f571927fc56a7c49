import { exitStatus } from '../errors/exit-status.ts'
import { endProcess } from './end-process.ts'

/** The signals that a merge cleans up after before it ends. */
const signals = ['SIGINT', 'SIGTERM'] as const

/** What a signal breaks off. */
type Stage = 'preparing' | 'downloading' | 'merging' | 'uploading'

/** Longer than the way from one small tensor to the next, so that for these handlers stay off. */
const restMs = 20

export interface Interruption {
  /** Fires at the first signal; a second one ends the process at once. */
  readonly signal: AbortSignal
  /** The exit status that tells of the signal; undefined if none came. */
  readonly status: number | undefined
  readonly stage: Stage
  enter(stage: Stage): void
  /** Takes SIGINT and SIGTERM over: until then they end the process at once. */
  listen(): void
  /**
   * Leaves the signals to the system until the event loop turns, as while a plan is made.
   * @throws the reason of `signal` where one has come before
   */
  leaveUntilTurn(): Promise<void>
  /**
   * Leaves the signals to the system until the event loop has had some rest: what runs until then may never come back, and a handler
   * would not be called.
   * @throws the reason of `signal` where one has come before
   */
  leaveUntilIdle(): Promise<void>
  /**
   * Leaves the signals to the system while something runs that may never come back.
   * @throws the reason of `signal` where one has come before; what `work` throws
   */
  leaveWhile<T>(work: () => Promise<T>): Promise<T>
  /** Leaves the signals to the system again. */
  release(): void
}

/** Nobody waits longer than a second for a command that was told to end. While it merges, finished tensors are kept first. */
const graceMs = 800

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Creates what tells a merge to stop when the user or the system asks the process to end. */
export function createInterruption(): Interruption {
  const controller = new AbortController()
  let status: number | undefined
  let stage: Stage = 'preparing'
  let isListening = false
  const onSignal = (name: (typeof signals)[number]) => {
    status = exitStatus[name]
    release()
    controller.abort(new Error('interrupted'))
    // Whatever does not look at the signal: all that has arrived is on the disk.
    if (stage !== 'merging') setTimeout(() => endProcess(status!), graceMs).unref()
  }
  let isOn = false
  const off = () => {
    isOn = false
    signals.forEach((name) => process.off(name, onSignal))
  }
  // Once only: putting handlers up anew would lose a signal that has come and was not told yet.
  const on = () => {
    if (isOn) return
    isOn = true
    signals.forEach((name) => process.on(name, onSignal))
  }
  /** A signal that has come and was not told yet is lost with its handler. What the first turn finds came before it. */
  const hear = async () => {
    await turn()
    await turn()
    controller.signal.throwIfAborted()
  }
  let nextTurn: NodeJS.Immediate | undefined
  let rest: NodeJS.Timeout | undefined
  const release = () => {
    clearImmediate(nextTurn)
    clearTimeout(rest)
    isListening = false
    off()
  }
  return {
    signal: controller.signal,
    get status() {
      return status
    },
    get stage() {
      return stage
    },
    enter: (next) => void (stage = next),
    listen() {
      isListening = true
      on()
    },
    async leaveUntilTurn() {
      await hear()
      if (!isListening) return
      off()
      clearImmediate(nextTurn)
      nextTurn = setImmediate(on)
    },
    async leaveUntilIdle() {
      await hear()
      if (!isListening) return
      off()
      clearTimeout(rest)
      rest = setTimeout(on, restMs)
    },
    async leaveWhile(work) {
      await hear()
      off()
      try {
        return await work()
      } finally {
        if (isListening) on()
      }
    },
    release,
  }
}
