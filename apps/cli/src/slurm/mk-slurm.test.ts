import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runBin, withFolder } from '../__fixtures__/run-bin.ts'
import { planBatchJobs, quote, type SlurmMerge } from './batch-scripts.ts'
import { formatJobs, sbatchOptions, submitJobs } from './submit-jobs.ts'

const bin = new URL('../../bin/mk-slurm.cjs', import.meta.url)
const merge: SlurmMerge = {
  recipe: '/r/recipe.yml',
  plan: '/o/merged.slurm/plan.json',
  out: '/o/merged',
  parts: 4,
  retries: 3,
  folder: '/o/merged.slurm',
  sbatchOptions: ['--mem=4G'],
  planOptions: ['--allow-crimes'],
  partOptions: ['--threads=2'],
  overwrite: false,
  setup: [],
}

/** Commands that write down what they are called with, and then do as a line of shell says. */
function fakeCommands(folder: string, commands: Readonly<Record<string, string>>): string {
  const bins = join(folder, 'bin')
  mkdirSync(bins)
  for (const [name, body] of Object.entries(commands)) {
    writeFileSync(join(bins, name), `#!/bin/sh\necho ${name} "$@" >> ${join(folder, 'calls')}\n${body}\n`)
    chmodSync(join(bins, name), 0o755)
  }
  return `${bins}:${process.env['PATH']}`
}

const callsIn = (folder: string) => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n')

async function withPath<T>(path: string, run: () => Promise<T>): Promise<T> {
  const before = process.env['PATH']
  process.env['PATH'] = path
  try {
    return await run()
  } finally {
    process.env['PATH'] = before
  }
}

describe('the jobs of a merge', () => {
  it('are the plan, an array of parts, and the end, each with the options of all', () => {
    const jobs = planBatchJobs({ ...merge, atOnce: 2 })
    expect(jobs.map(({ name }) => name)).toEqual(['plan', 'parts', 'finish'])
    expect(jobs.map(({ options }) => options.includes('--mem=4G'))).toEqual([true, true, true])
    expect(jobs[1]!.options).toContain('--array=1-4%2')
    expect(jobs[0]!.script).toContain(
      '\nmergekit-yaml /r/recipe.yml /o/merged --plan-out /o/merged.slurm/plan.json --allow-crimes\n',
    )
    expect(jobs[1]!.script).toContain('/o/merged --threads=2 --part "$SLURM_ARRAY_TASK_ID/4"\n')
    expect(jobs[2]!.script).toContain('/o/merged --finish --threads=2\n')
  })

  it('are two where the plan is there', () => {
    const { recipe: _, ...planned } = merge
    expect(planBatchJobs(planned).map(({ name }) => name)).toEqual(['parts', 'finish'])
  })

  it('wait for the one before, and end where that fails', () => {
    const [job] = planBatchJobs(merge)
    expect(sbatchOptions(job!, '17').slice(-2)).toEqual(['--dependency=afterok:17', '--kill-on-invalid-dep=yes'])
    expect(formatJobs(planBatchJobs(merge), merge.folder)).toContain('"--dependency=afterok:$parts"')
  })
})

describe('a script', () => {
  it.each([
    [0, 0, []],
    [1, 1, ['scontrol requeue 8_3']],
    [137, 137, ['scontrol requeue 8_3']],
    [2, 2, ['scancel --state=PENDING 8']],
    [143, 143, []],
  ])('of a part that ends with %i ends with %i', (status, ended, calls) =>
    withFolder(async (folder) => {
      const path = fakeCommands(folder, { 'mergekit-yaml': `exit ${status}`, scontrol: 'exit 1', scancel: '' })
      const [, { script }] = planBatchJobs({ ...merge, folder }) as [unknown, { script: string }]
      const env = { PATH: path, SLURM_ARRAY_JOB_ID: '8', SLURM_ARRAY_TASK_ID: '3', SLURM_JOB_ID: '11' }
      expect(spawnSync('bash', ['-c', script], { env }).status).toBe(ended)
      expect(callsIn(folder).slice(1)).toEqual(calls)
      expect(existsSync(join(folder, '.refused'))).toBe(status === 2)
    }),
  )

  it('gives up after so many tries', () =>
    withFolder(async (folder) => {
      const path = fakeCommands(folder, { 'mergekit-yaml': 'exit 1', scontrol: 'exit 1' })
      const { script } = planBatchJobs({ ...merge, folder, retries: 2 })[0]!
      for (let run = 0; run < 4; run++) spawnSync('bash', ['-c', script], { env: { PATH: path, SLURM_JOB_ID: '11' } })
      expect(callsIn(folder).filter((call) => call.startsWith('scontrol'))).toHaveLength(2)
    }))

  it('takes any path as it is', () => {
    const odd = `/o/it's $HOME "x" \`y\``
    expect(spawnSync('bash', ['-c', `printf %s ${quote(odd)}`], { encoding: 'utf8' }).stdout).toBe(odd)
  })
})

describe('mk-slurm submit', () => {
  it('prints calls and scripts with --dry-run, and writes nothing', () =>
    withFolder(async (folder) => {
      const { status, stdout } = await runBin(bin, [
        'submit',
        'r.yml',
        join(folder, 'out'),
        '--dry-run',
        '--parts',
        '3',
      ])
      expect(status).toBe(0)
      expect(stdout).toContain('--array=1-3')
      expect(readdirSync(folder)).toEqual([])
    }))

  it('submits each after the one before, and cancels them where one is refused', () =>
    withFolder(async (folder) => {
      const count = `[ "$(grep -c ^sbatch ${join(folder, 'calls')})" -lt 3 ] && echo 41 || { echo 'sbatch: error: no such partition' >&2; exit 1; }`
      const path = fakeCommands(folder, { sbatch: count, scancel: '' })
      const submitting = withPath(path, () => submitJobs(planBatchJobs(merge), join(folder, 'jobs'), () => {}))
      await expect(submitting).rejects.toMatchObject({
        code: 'slurm-refused',
        message: expect.stringContaining('no such partition'),
      })
      expect(callsIn(folder)[1]).toContain('--dependency=afterok:41')
      expect(callsIn(folder).at(-1)).toBe('scancel 41 41')
    }))

  it('tells a controller that does not answer from one that refuses, and a machine without Slurm', () =>
    withFolder(async (folder) => {
      const text = 'sbatch: error: Batch job submission failed: Unable to contact slurm controller'
      const path = fakeCommands(folder, { sbatch: `echo '${text}' >&2; exit 1` })
      const submit = () => submitJobs(planBatchJobs(merge), join(folder, 'jobs'), () => {})
      await expect(withPath(path, submit)).rejects.toMatchObject({ code: 'slurm-unreachable', fault: 'failure' })
      await expect(withPath(folder, submit)).rejects.toMatchObject({ code: 'slurm-missing', fault: 'usage' })
    }))
})
