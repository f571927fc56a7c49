import { type ChildProcess, execFile, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where commands run unless told otherwise. */
export const goldens = fileURLToPath(new URL('../../../../goldens', import.meta.url))

export interface CommandResult {
  readonly status: number
  readonly stdout: string
  /** Without lines of progress. */
  readonly stderr: string
}

const progressLines =
  /^(?:(?:merging|downloading) \d+ % of|opening the models|planning the merge|looking for the device|asking the hub:).*\n/gm

/** Leaves lines of progress out of what went to stderr: how many there are depends on how busy the machine is. */
export const withoutProgress = (text: string): string => text.replace(progressLines, '')

interface Surroundings {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

const hosts = new Map<string, CommandHost>()

/** Runs one of the commands, each in a process that is kept for further calls. Calls of one command come one after another. */
export function runBin(
  bin: URL,
  args: readonly string[],
  { cwd = goldens, env = {} }: Surroundings = {},
): Promise<CommandResult> {
  const host = hosts.get(bin.href) ?? createCommandHost(bin)
  hosts.set(bin.href, host)
  return host.run({ args, cwd, env })
}

/** Runs one of the commands as a process of its own, as users do. */
export function startBin(
  bin: URL,
  args: readonly string[],
  { cwd = goldens, env = {} }: Surroundings = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [fileURLToPath(bin), ...args],
      { cwd, env: { ...process.env, ...env }, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
        resolve({ status, stdout, stderr: withoutProgress(stderr) })
      },
    )
  })
}

interface CommandHost {
  run(call: Required<Surroundings> & { readonly args: readonly string[] }): Promise<CommandResult>
}

type HostMessage = { readonly status: number } | { readonly stream: 'stdout' | 'stderr'; readonly text: string }

function createCommandHost(bin: URL): CommandHost {
  const script = fileURLToPath(new URL('command-host.mjs', import.meta.url))
  let child: ChildProcess | undefined
  let last: Promise<unknown> = Promise.resolve()
  const start = () => {
    const started = fork(script, [bin.href], {
      // As where a large model is merged in little memory: threads have to start beside flags of the engine.
      execArgv: ['--max-old-space-size=4096'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    started.once('exit', () => (child = undefined))
    // It may outlive the last call, not the tests.
    for (const held of [started, started.channel, started.stderr as Socket]) held?.unref()
    return started
  }
  return {
    run(call) {
      const result = last.then(() => {
        child ??= start()
        return resultOf(child, call)
      })
      last = result
      return result
    },
  }
}

function resultOf(child: ChildProcess, call: object): Promise<CommandResult> {
  return new Promise((resolve) => {
    const written = { stdout: '', stderr: '' }
    // What is not written by the command: why the process ended, or remarks of native libraries.
    let unasked = ''
    const onText = (text: Buffer) => (unasked += String(text))
    child.channel?.ref()
    const end = (status: number) => {
      child.off('message', onMessage).off('close', onClose)
      child.stderr!.off('data', onText)
      child.channel?.unref()
      resolve({ status, stdout: written.stdout, stderr: withoutProgress(written.stderr) })
    }
    const onMessage = (message: HostMessage) => {
      if ('status' in message) end(message.status)
      else written[message.stream] += message.text
    }
    const onClose = (status: number | null) => {
      written.stderr += unasked
      end(status ?? 1)
    }
    child.on('message', onMessage).on('close', onClose)
    child.stderr!.on('data', onText)
    child.send(call)
  })
}

/** Lends a new folder and removes it afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'mk-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
