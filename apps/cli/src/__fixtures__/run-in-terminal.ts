import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { textWidth } from '../print/wrap-text.ts'
import { goldens } from './run-bin.ts'

/** A pseudo-terminal takes util-linux's `script`; that of other systems has other arguments. */
export const hasTerminal = String(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout).includes(
  'util-linux',
)

export interface TerminalRun {
  /** Writes what somebody types. */
  type(text: string): void
  /** What has been shown so far, controls included. */
  shown(): string
  readonly ended: Promise<TerminalResult>
}

export interface TerminalResult {
  /** As a shell tells it: 128 + number for a signal. */
  readonly status: number
  /** Everything that was shown, with stdout and stderr in their order. */
  readonly raw: string
  /** Lines that stay, without controls. */
  readonly lines: readonly string[]
  /** What was drawn over one another at the bottom, without controls. */
  readonly frames: readonly string[]
}

interface TerminalOptions {
  readonly columns: number
  readonly cwd?: string
  readonly env?: Record<string, string>
}

/** Runs one of the commands in a terminal of so many columns. */
export function startInTerminal(
  bin: URL,
  args: readonly string[],
  { columns, cwd = goldens, env = {} }: TerminalOptions,
): TerminalRun {
  const quoted = [process.execPath, fileURLToPath(bin), ...args].map((part) => `'${part.replaceAll("'", `'\\''`)}'`)
  const command = `stty cols ${columns} rows 24; exec ${quoted.join(' ')}`
  const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...own } = process.env
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd,
    env: { ...own, TERM: 'xterm-256color', SHELL: '/bin/sh', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let raw = ''
  child.stdout.on('data', (data) => (raw += String(data)))
  const ended = new Promise<TerminalResult>((resolve) => {
    child.once('close', (status) => resolve({ status: status ?? 1, raw, ...splitScreen(raw) }))
  })
  return { type: (text) => void child.stdin.write(text), shown: () => raw, ended }
}

/** Runs a command in a terminal to its end. */
export const runInTerminal = (bin: URL, args: readonly string[], options: TerminalOptions): Promise<TerminalResult> =>
  startInTerminal(bin, args, options).ended

function splitScreen(raw: string): Pick<TerminalResult, 'lines' | 'frames'> {
  const lines: string[] = []
  const frames: string[] = []
  for (const line of raw.split('\r\n')) {
    const parts = line.split('\r\u001b[K').map((part) => stripVTControlCharacters(part))
    lines.push(parts.at(-1)!)
    frames.push(...parts.slice(0, -1).filter((part) => part !== ''))
  }
  return { lines, frames }
}

/** Finds lines that a terminal would break; a single word that is longer than a line can't be helped. */
export const tooWide = (lines: readonly string[], columns: number): readonly string[] =>
  lines.filter((line) => textWidth(line) > columns && line.trim().includes(' '))
