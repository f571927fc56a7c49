import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from '@mk/errors'
import { CommandError } from '../errors/command-error.ts'
import { type BatchJob, type JobName, quote, refusedName, triesPrefix } from './batch-scripts.ts'

/** A job that Slurm has. */
export interface SubmittedJob {
  readonly name: JobName
  readonly id: string
}

/**
 * Submits jobs, each to run when all of the one before has ended well. Where one is refused, those before it are canceled.
 * @param folder where the scripts are kept, and their logs
 * @throws CommandError 'slurm-missing', 'slurm-refused', 'slurm-unreachable'
 */
export async function submitJobs(
  jobs: readonly BatchJob[],
  folder: string,
  onSubmitted: (job: SubmittedJob) => void,
): Promise<readonly SubmittedJob[]> {
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder))
    if (name === refusedName || name.startsWith(triesPrefix)) rmSync(join(folder, name))
  const submitted: SubmittedJob[] = []
  for (const job of jobs) {
    const script = join(folder, `${job.name}.sh`)
    writeFileSync(script, job.script)
    try {
      const told = await callSlurm('sbatch', ['--parsable', ...sbatchOptions(job, submitted.at(-1)?.id), script])
      // With several clusters: ID;CLUSTER.
      submitted.push({ name: job.name, id: told.trim().split(';')[0]! })
      onSubmitted(submitted.at(-1)!)
    } catch (error) {
      if (submitted.length > 0)
        await callSlurm(
          'scancel',
          submitted.map(({ id }) => id),
        ).catch(() => {})
      throw error
    }
  }
  return submitted
}

const lookMs = 2000
const endStates = /^(COMPLETED|FAILED|CANCELL?ED|TIMEOUT|NODE_FAIL|PREEMPTED|BOOT_FAIL|DEADLINE|OUT_OF_MEMORY)/

/** Waits until a job has ended, also while the controller is away. @returns the state that it ended in @throws CommandError */
export async function waitForJob(id: string): Promise<string> {
  for (;;) {
    const state = await callSlurm('squeue', ['--noheader', '--states=all', `--jobs=${id}`, '--format=%T']).catch(
      (error: unknown) => {
        if (hasCode(error, 'slurm-unreachable')) return ''
        throw error
      },
    )
    if (endStates.test(state.trim())) return state.trim()
    await sleep(lookMs)
  }
}

/** Gives what sbatch is called with for a job, after the one that it waits for. */
export const sbatchOptions = ({ options }: BatchJob, after: string | undefined): readonly string[] =>
  after === undefined ? options : [...options, `--dependency=afterok:${after}`, '--kill-on-invalid-dep=yes']

/** Prints the calls and the scripts. */
export function formatJobs(jobs: readonly BatchJob[], folder: string): string {
  const calls = jobs.map((job, index) => {
    const after = index === 0 ? undefined : `$${jobs[index - 1]!.name}`
    const words = sbatchOptions(job, after).map((word) => (word.includes('$') ? `"${word}"` : quote(word)))
    return `${job.name}=$(sbatch --parsable ${words.join(' ')} ${quote(join(folder, `${job.name}.sh`))})`
  })
  const scripts = jobs.map(({ name, script }) => `# ${join(folder, `${name}.sh`)}\n${script}`)
  return [...calls, '', ...scripts].join('\n')
}

/** Words of Slurm that mean that its controller may answer later. */
const passing = /unable to contact|timed out|connection refused|temporarily|zero bytes were transmitted/i

async function callSlurm(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)))
  child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)))
  let status: number | null
  try {
    ;[status] = (await once(child, 'close')) as [number | null]
  } catch (cause) {
    throw new CommandError({ code: 'slurm-missing', command }, { cause })
  }
  if (status === 0) return stdout
  const reason = stderr.trim() || `exit status ${status}`
  throw new CommandError({ code: passing.test(reason) ? 'slurm-unreachable' : 'slurm-refused', command, reason })
}
