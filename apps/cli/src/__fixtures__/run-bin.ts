import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
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

/** How many there are depends on how busy the machine is. */
const progressLines =
  /^(?:(?:merging|downloading) \d+ % of|opening the models|looking for the device|asking the hub:).*\n/gm

/** Runs one of the commands as a process of its own. */
export function runBin(
  bin: URL,
  args: readonly string[],
  { cwd = goldens, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [fileURLToPath(bin), ...args],
      { cwd, env: { ...process.env, ...env }, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 1
        resolve({ status, stdout, stderr: stderr.replace(progressLines, '') })
      },
    )
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
