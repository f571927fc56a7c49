import { join } from 'node:path'

/** A merge as Slurm is to do it. */
export interface SlurmMerge {
  /** What is merged by; absent where the plan is there. */
  readonly recipe?: string
  readonly plan: string
  readonly out: string
  readonly parts: number
  /** How many parts run at a time; absent: as many as the cluster lets. */
  readonly atOnce?: number
  /** How often what failed is tried again. */
  readonly retries: number
  /** Where scripts, logs and a plan of its own are kept. */
  readonly folder: string
  /** Options of sbatch for all jobs, such as `--partition=cpu`. */
  readonly sbatchOptions: readonly string[]
  /** Options of mergekit-yaml for the plan, and for each part and the end. */
  readonly planOptions: readonly string[]
  readonly partOptions: readonly string[]
  readonly overwrite: boolean
  /** Lines of shell before anything else, such as `module load nodejs`. */
  readonly setup: readonly string[]
}

/** The jobs of a merge, in their order: each waits until the one before has done all of it. */
export type JobName = 'plan' | 'parts' | 'finish'

/** Files in the folder of a merge: that something has to be mended first, and how often a job was tried. */
export const refusedName = '.refused'
export const triesPrefix = '.tries-'

/** A job: what sbatch is called with, but for the job that it waits for, and the script that it is given. */
export interface BatchJob {
  readonly name: JobName
  readonly options: readonly string[]
  readonly script: string
}

/**
 * Plans the jobs of a merge: plan, an array of parts, the end. What ends with 2 ends the merge; what is killed or ends otherwise is
 * put back into the queue by itself, so often.
 */
export function planBatchJobs(merge: SlurmMerge): readonly BatchJob[] {
  const { recipe, plan, out, parts, atOnce, planOptions, partOptions, overwrite } = merge
  const withPlan = (...options: string[]) => ['mergekit-yaml', '--plan', plan, out, ...options, ...partOptions]
  const limit = atOnce === undefined ? '' : `%${atOnce}`
  const planJob =
    recipe === undefined
      ? []
      : [job(merge, 'plan', [], quoteAll(['mergekit-yaml', recipe, out, '--plan-out', plan, ...planOptions]))]
  return [
    ...planJob,
    job(
      merge,
      'parts',
      [`--array=1-${parts}${limit}`],
      `${quoteAll(withPlan())} --part "$SLURM_ARRAY_TASK_ID/${parts}"`,
    ),
    job(merge, 'finish', [], quoteAll(withPlan('--finish', ...(overwrite ? ['--overwrite'] : [])))),
  ]
}

function job(merge: SlurmMerge, name: JobName, own: readonly string[], command: string): BatchJob {
  const { folder, sbatchOptions } = merge
  const log = name === 'parts' ? 'parts-%a.log' : `${name}.log`
  const options = [
    `--job-name=mk-${name}`,
    `--output=${join(folder.replaceAll('%', '%%'), log)}`,
    '--open-mode=append',
    '--requeue',
    ...own,
    ...sbatchOptions,
  ]
  return { name, options, script: scriptOf(name, command, merge) }
}

/** How a script calls its job: a task of an array has a number of its own. */
const ownName = {
  plan: '$SLURM_JOB_ID',
  parts: '${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID',
  finish: '$SLURM_JOB_ID',
} as const

function scriptOf(name: JobName, command: string, { folder, retries, setup, out }: SlurmMerge): string {
  return [
    '#!/bin/bash',
    `# ${name} of the merge into ${out.replaceAll('\n', ' ')}; written by mk-slurm.`,
    `folder=${quote(folder)}`,
    `job="${ownName[name]}"`,
    `tries="$folder/${triesPrefix}$job"`,
    ...setup,
    command,
    'status=$?',
    'case "$status" in',
    '  # Done, or told to end: who did that decides what comes next.',
    '  0 | 130 | 143) ;;',
    '  # The same again gives the same: something has to be mended first.',
    '  2)',
    `    touch "$folder/${refusedName}"`,
    ...(name === 'parts' ? ['    scancel --state=PENDING "$SLURM_ARRAY_JOB_ID"'] : []),
    '    ;;',
    '  *)',
    '    echo >> "$tries"',
    `    if [ "$(wc -l < "$tries")" -le ${retries} ] && scontrol requeue "$job"; then`,
    '      sleep 60 # Slurm ends this script, and starts it again later, where there is room',
    '    fi',
    '    ;;',
    'esac',
    'exit "$status"',
    '',
  ].join('\n')
}

const quoteAll = (words: readonly string[]): string => words.map(quote).join(' ')

/** Quotes a word for a shell, where it has to be. */
export const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
