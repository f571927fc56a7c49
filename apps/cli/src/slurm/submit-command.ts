import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Option } from 'commander'
import type { CommandDefinition } from '../commands/run-command.ts'
import { positiveInteger, sharedOptions } from '../commands/shared-options.ts'
import { exitStatus } from '../errors/exit-status.ts'
import type { SlurmMerge } from './batch-scripts.ts'

interface SubmitFlags {
  readonly parts: number
  readonly atOnce?: number
  readonly retries: number
  readonly sbatch?: readonly string[]
  readonly planOption?: readonly string[]
  readonly partOption?: readonly string[]
  readonly setup?: readonly string[]
  readonly folder?: string
  readonly overwrite?: boolean
  readonly wait?: boolean
  readonly dryRun?: boolean
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose: number
}

const heading = 'The jobs:'
const option = (flags: string, summary: string) => new Option(flags, summary).helpGroup(heading)
const several = (flags: string, summary: string) =>
  option(flags, `${summary} (may be repeated)`).argParser((value: string, before: readonly string[] = []) => [
    ...before,
    value,
  ])

/** `mk-slurm submit`, which submits a plan, an array of parts and the end, each after the one before. */
export const submitCommand: CommandDefinition<SubmitFlags> = {
  name: 'mk-slurm submit',
  summary:
    'Submit a merge to Slurm: a job for the plan, an array of parts, and a job that finishes, each after the one before.',
  operands: [
    {
      name: 'recipe',
      summary: 'the recipe, or a plan that mergekit-yaml --plan-out wrote (.json)',
      isNeeded: () => true,
    },
    { name: 'out', summary: 'the folder to write, on a file system that all nodes share', isNeeded: () => true },
  ],
  declareOptions(command) {
    for (const each of [
      sharedOptions.dryRun('print the calls and the scripts, and submit nothing'),
      option('--parts <count>', 'how many parts').argParser(positiveInteger).default(16),
      option('--at-once <count>', 'of them at most').argParser(positiveInteger),
      option('--retries <count>', 'of a part that failed, in all').argParser(positiveInteger).default(3),
      several('--sbatch <option>', 'of sbatch, for all jobs: --sbatch=--partition=cpu'),
      several('--plan-option <option>', 'of mergekit-yaml, for the plan: --plan-option=--allow-crimes'),
      several('--part-option <option>', 'of mergekit-yaml, for parts and end: --part-option=--threads=8'),
      several('--setup <line>', 'of shell, before anything else: --setup "module load nodejs"'),
      option('--folder <folder>', 'for scripts and logs; OUT.slurm unless given'),
      option('--wait', 'until the last job has ended, and end as it ends'),
      sharedOptions.overwrite('replace an output that a merge has written there'),
      sharedOptions.json('print the jobs, or the error, as JSON'),
      sharedOptions.quiet(),
      sharedOptions.verbose('with an error, say where in the code it was noticed'),
    ])
      command.addOption(each)
  },
  examples: [
    ['mk-slurm submit recipe.yml /shared/merged --parts 32 --sbatch=--partition=cpu --sbatch=--mem=8G', 'in 32 parts'],
    ['mk-slurm submit recipe.yml /shared/merged --dry-run', 'the scripts, to look at or to change'],
  ],
  async act({ flags, operands: [recipe, out] }) {
    const [{ planBatchJobs }, { formatJobs, submitJobs, waitForJob }] = await Promise.all([
      import('./batch-scripts.ts'),
      import('./submit-jobs.ts'),
    ])
    const merge = toMerge(flags, recipe!, out!)
    const { folder } = merge
    const jobs = planBatchJobs(merge)
    if (flags.dryRun) {
      process.stdout.write(flags.json ? `${JSON.stringify({ version: 1, folder, jobs })}\n` : formatJobs(jobs, folder))
      return exitStatus.success
    }
    const submitted = await submitJobs(jobs, folder, ({ name, id }) => {
      if (!flags.json) process.stdout.write(`${name}: job ${id}\n`)
    })
    if (!flags.quiet && !flags.json)
      process.stderr.write(
        `logs in ${folder}; squeue --jobs=${submitted.map(({ id }) => id).join(',')} shows how they are, scancel ends them\n`,
      )
    const state = flags.wait ? await waitForJob(submitted.at(-1)!.id) : undefined
    if (flags.json) process.stdout.write(`${JSON.stringify({ version: 1, folder, jobs: submitted, state })}\n`)
    else if (state !== undefined) process.stdout.write(`finish: ${state}\n`)
    return state === undefined || state === 'COMPLETED' ? exitStatus.success : statusOfEnd(folder)
  },
}

/** A job of Slurm's that others wait for tells no more than that it failed; its script has left the reason. */
async function statusOfEnd(folder: string): Promise<number> {
  const { refusedName } = await import('./batch-scripts.ts')
  return existsSync(join(folder, refusedName)) ? exitStatus.usage : exitStatus.failure
}

function toMerge(flags: SubmitFlags, recipe: string, given: string): SlurmMerge {
  const out = resolve(given)
  const folder = resolve(flags.folder ?? `${out}.slurm`)
  const isPlan = recipe.endsWith('.json')
  const { parts, atOnce, retries, sbatch = [], planOption = [], partOption = [], setup = [], overwrite = false } = flags
  return {
    ...(!isPlan && { recipe: resolve(recipe) }),
    plan: isPlan ? resolve(recipe) : join(folder, 'plan.json'),
    out,
    parts,
    ...(atOnce !== undefined && { atOnce }),
    retries,
    folder,
    sbatchOptions: sbatch,
    planOptions: planOption,
    partOptions: partOption,
    setup,
    overwrite,
  }
}
