import { formatBar, formatLine } from './progress-line.ts'
import { createRateMeter } from './rate-meter.ts'
import { formatSeconds } from './sizes.ts'
import { cutText } from './wrap-text.ts'

/**
 * What goes on, at the bottom of a terminal; elsewhere a line now and then. It draws by itself, so that also waiting is seen, and
 * lines of others are printed through it.
 */
export interface Progress {
  /** Says what goes on where no bytes are counted. */
  activity(text: string | undefined): void
  /** Begins work that is counted in bytes; the one before ends. */
  phase(label: string): Phase
  /** Prints lines that stay. */
  print(text: string): void
  /** Removes what is left of a bar, and draws no more. */
  end(): void
}

/** Work that is counted in bytes, with a clock of its own. */
export interface Phase {
  update(state: PhaseState): void
  end(): void
}

export interface PhaseState {
  readonly doneBytes: number
  readonly totalBytes: number
  /** How many of how many, as in '2 of 3 models'. */
  readonly count?: string
  readonly names?: string
}

/** The stream that progress goes to. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface ProgressClock {
  /** Milliseconds; never goes back. */
  now(): number
  /** Calls back at an interval, without keeping the process alive; returns what stops it. */
  every(milliseconds: number, callback: () => void): () => void
}

const drawMs = 100
/** What is over by then is not worth a word. */
const patienceMs = 300
const firstLineMs = 1000
const lineMs = 5000
/** So long after the last byte, what goes on besides is shown in place of names. */
const silenceMs = 1000

const systemClock: ProgressClock = {
  now: () => performance.now(),
  every(milliseconds, callback) {
    const timer = setInterval(callback, milliseconds)
    timer.unref()
    return () => clearInterval(timer)
  },
}

/** Shows nothing of what goes on; lines are printed. */
export const silentProgress = (write: (text: string) => unknown): Progress => ({
  activity() {},
  phase: () => ({ update() {}, end() {} }),
  print: write,
  end() {},
})

/** Creates what shows what goes on. */
export function createProgress(stream: ProgressStream, clock: ProgressClock = systemClock): Progress {
  const isTTY = stream.isTTY === true
  const { now } = clock
  let doing: { readonly text: string; readonly since: number } | undefined
  let counted: Counted | undefined
  let isDrawn = false
  let quietSince = now()
  let nextLineMs = firstLineMs

  const clear = () => {
    if (isDrawn) stream.write('\r\u001b[K')
    isDrawn = false
  }
  const draw = () => {
    const text = currentText()
    if (text === undefined) return clear()
    if (isTTY) {
      stream.write(`\r\u001b[K${text}`)
      isDrawn = true
    } else if (now() - quietSince >= nextLineMs) {
      stream.write(`${text}\n`)
      quietSince = now()
      nextLineMs = lineMs
    }
  }
  const currentText = (): string | undefined => {
    const width = (stream.columns || 80) - 1
    if (counted?.state !== undefined) {
      if (now() - counted.since < patienceMs) return undefined
      const state = stateOf(counted, doing, now())
      return isTTY ? formatBar(state, width) : formatLine(state)
    }
    if (doing === undefined || now() - doing.since < patienceMs) return undefined
    const seconds = (now() - doing.since) / 1000
    const text = seconds >= 2 ? `${doing.text} (${formatSeconds(Math.floor(seconds))})` : doing.text
    return isTTY ? cutText(text, width) : text
  }
  const stop = clock.every(drawMs, draw)
  return {
    activity(text) {
      if (text === undefined) {
        doing = undefined
        if (counted === undefined) clear()
        return
      }
      // Many short questions in a row are one time of waiting.
      const since = doing !== undefined && counted === undefined ? doing.since : now()
      doing = { text, since }
      // What comes next may leave no time for the clock.
      if (isDrawn) draw()
    },
    phase(label) {
      const own: Counted = { label, since: now(), meter: createRateMeter(now), state: undefined, toldAt: now() }
      counted = own
      quietSince = now()
      nextLineMs = firstLineMs
      return {
        update(state) {
          own.state = state
          own.toldAt = now()
          own.meter.sample(state.doneBytes)
        },
        end() {
          if (counted !== own) return
          counted = undefined
          doing = undefined
          clear()
        },
      }
    },
    print(text) {
      clear()
      stream.write(text)
      quietSince = now()
    },
    end() {
      stop()
      clear()
    },
  }
}

interface Counted {
  readonly label: string
  readonly since: number
  readonly meter: ReturnType<typeof createRateMeter>
  state: PhaseState | undefined
  toldAt: number
}

function stateOf(counted: Counted, doing: { readonly text: string } | undefined, now: number) {
  const { label, meter, state, toldAt } = counted
  const { doneBytes, totalBytes, count = '', names = '' } = state!
  // Nothing arrives: the rate falls, and what is waited for is shown.
  if (now - toldAt > silenceMs) meter.sample(doneBytes)
  const isSilent = now - toldAt > silenceMs && doing !== undefined
  return {
    label,
    doneBytes,
    totalBytes,
    rate: meter.rate(),
    secondsLeft: meter.secondsTo(totalBytes),
    count,
    names: isSilent ? doing.text : names,
  }
}
