import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, until } from '../checks.mjs'
import { processesWith } from '../workplace.mjs'
import { startCluster } from './slurm-cluster.mjs'

const partCount = 9

/**
 * Merges in parts by a real Slurm.
 * @param {{ place: Awaited<ReturnType<typeof import('../workplace.mjs').openWorkplace>>, check: ReturnType<typeof import('../checks.mjs').createChecks>['check'] }} context
 */
export async function slurmCases({ place, check }) {
  mkdirSync(join(place.folder, 'slurm'), { recursive: true })
  const cluster = await startCluster(join(place.folder, 'slurm', 'cluster'))
  const env = { ...cluster.env, PATH: `${join(place.folder, 'bin')}:${cluster.env.PATH}` }
  const submit = (input, out, ...options) => [
    'mk-slurm',
    'submit',
    input,
    out,
    '--parts',
    String(partCount),
    '--part-option=--threads=1',
    '--wait',
    ...options,
  ]
  const start = (command) => place.start(command, { env, timeoutMs: 120_000 })
  /** A job that is put back into the queue waits for two minutes, as its node may be what is wrong; not here. */
  const hurry = setInterval(() => {
    for (const { id, state, reason } of cluster.tasks())
      if (state === 'PENDING' && reason === 'BeginTime')
        cluster.call('scontrol', 'update', `JobId=${id}`, 'StartTime=now')
  }, 300)
  const partsIn = (state) => cluster.tasks().filter((task) => task.name === 'mk-parts' && task.state === state)
  const oneRunning = (node) =>
    until(() => partsIn('RUNNING').find((task) => node === undefined || task.node === node), {
      what: `no part is running${node === undefined ? '' : ` on ${node}`}`,
      everyMs: 20,
    })
  try {
    await check(
      'plan, parts and end by Slurm, with a node drained, a part put back and one killed: the same bytes',
      async () => {
        const out = place.outIn('by-slurm')
        const merge = start(submit(place.recipe, out))
        await oneRunning('n2')
        cluster.call('scontrol', 'update', 'NodeName=n2', 'State=DRAIN', 'Reason=test')
        const back = await oneRunning('n1')
        cluster.call('scontrol', 'requeue', back.id)
        const killed = await until(() => processesWith('--part').find((id) => isPartOf(id, out)), {
          what: 'no part has a process',
          everyMs: 20,
        })
        process.kill(killed, 'SIGKILL')
        const { status, stdout, stderr } = await merge.ended
        expect(status === 0, `mk-slurm submit --wait ended with ${status}: ${stdout}${stderr}${logsOf(out)}`)
        expect(cluster.call('sinfo', '--noheader', '--nodes=n2', '--format=%t').trim() === 'drain', 'n2 is not drained')
        const onDrained = cluster.tasks().filter((task) => task.node === 'n2').length
        cluster.call('scontrol', 'update', 'NodeName=n2', 'State=RESUME')
        place.checkOutput(out)
        const tries = readdirSync(`${out}.slurm`).filter((name) => name.startsWith('.tries-'))
        expect(tries.length === 1, `${tries.length} parts were tried again after a kill`)
        return `${partCount} parts, ${onDrained} of them on the node before it was drained`
      },
    )

    await check('what ends with 2 is not tried again, and ends all of it with 2', async () => {
      const out = place.outIn('refused-by-slurm')
      const model = join(place.folder, 'models', 'b')
      renameSync(model, `${model}-gone`)
      try {
        const { status, stderr } = await start(submit(place.plan, out)).ended
        expect(status === 2, `mk-slurm submit --wait ended with ${status}: ${stderr}`)
        const others = cluster.tasks().filter((task) => task.name === 'mk-finish' && task.state === 'CANCELLED')
        expect(others.length === 1, 'the end was not canceled')
        const tried = readdirSync(`${out}.slurm`).filter((name) => name.startsWith('.tries-'))
        expect(tried.length === 0, 'a part was tried again')
        expect(!existsSync(out), 'there is an output')
      } finally {
        renameSync(`${model}-gone`, model)
      }
    })

    await check('what ends with 1 is tried again, and not without end', async () => {
      const out = place.outIn('failing-by-slurm')
      const log = join(place.folder, 'attempts')
      const failing = `mergekit-yaml() { echo "$SLURM_ARRAY_TASK_ID" >> ${log}; return 1; }`
      const { status, stderr } = await start(
        submit(place.plan, out, '--retries', '2', '--setup', failing, '--parts', '2'),
      ).ended
      expect(status === 1, `mk-slurm submit --wait ended with ${status}: ${stderr}`)
      const attempts = () => readFileSync(log, 'utf8').trim().split('\n').toSorted()
      // One part that has failed for good ends the waiting; the other may still be on its way.
      await until(() => attempts().length >= 6, { what: 'not all attempts of parts are made', timeoutMs: 30_000 })
      expect(attempts().join() === '1,1,1,2,2,2', `attempts of parts: ${attempts()}`)
    })

    await check('a refusal of sbatch is told as it is, and leaves no job', async () => {
      const before = cluster.tasks().length
      const out = place.outIn('no-partition')
      const { status, stderr } = await start(submit(place.recipe, out, '--sbatch=--partition=nowhere')).ended
      expect(status === 2, `it ended with ${status}`)
      expect(stderr.includes('invalid partition specified: nowhere'), stderr)
      expect(cluster.tasks().length === before, 'there is a job')
    })
  } finally {
    clearInterval(hurry)
    await cluster.close()
  }
}

/** The process of the merge itself, not the shell around it. */
function isPartOf(id, out) {
  try {
    const words = readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0')
    return words[0] === process.execPath && words.includes(out) && words.includes('--part')
  } catch {
    return false
  }
}

const logsOf = (out) =>
  readdirSync(`${out}.slurm`)
    .filter((name) => name.endsWith('.log'))
    .map((name) => `\n${name}: ${readFileSync(join(`${out}.slurm`, name), 'utf8')}`)
    .join('')
