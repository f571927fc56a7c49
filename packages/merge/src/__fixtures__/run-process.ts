import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('merge-in-process.mjs', import.meta.url))

export interface ProcessRequest {
  readonly text: string
  /** Where the recipe is taken to stand. */
  readonly file: string
  readonly out: string
  /** 'wasm', 'reference', 'default' (none is named) or a factory of broken-runtime.mjs. */
  readonly runtime?: string
  readonly threads: number
  /** Whether workers are started by the caller, from the exported entry. */
  readonly ownWorkers?: boolean
  readonly cacheBytes?: number
  readonly shardBytes?: number
  /** What the method 'troubled' does. */
  readonly trouble?: 'full disk' | 'shrinking input'
}

export interface ProcessResult {
  /** SHA-256 by name. */
  readonly files?: Readonly<Record<string, string>>
  readonly error?: { readonly name: string; readonly message: string; readonly code?: string; readonly issue?: unknown }
  /** What of the output is left after an error. */
  readonly left?: readonly string[]
}

export interface ProcessRun {
  readonly results: readonly ProcessResult[]
  readonly maxRssBytes: number
}

/** Merges in a process of its own, with the built packages and real workers; it must end by itself within the time given. */
export function runProcess(requests: readonly ProcessRequest[], { timeoutMs = 60_000 } = {}): Promise<ProcessRun> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [script, JSON.stringify(requests)],
      { timeout: timeoutMs, maxBuffer: 2 ** 24 },
      (error, stdout, stderr) => {
        if (error !== null) reject(new Error(`${error.message}\n${stderr}`, { cause: error }))
        else resolve(JSON.parse(stdout) as ProcessRun)
      },
    )
  })
}
