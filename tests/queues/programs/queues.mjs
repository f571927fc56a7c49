// Merges in parts by real queues, which it starts and ends: npm run test:queues [-- --only slurm|redis|kubernetes] [--match TEXT] [--seed N] [--keep]
// They are Debian's: apt-get install redis-server slurmctld slurmd slurm-client munge. The last line is 'N passed, N failed'.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bootstrap } from '../../../scripts/bootstrap.mjs'
import { createChecks } from '../src/checks.mjs'
import { openWorkplace, processesWith } from '../src/workplace.mjs'

const suites = {
  redis: { needs: ['redis-server'], load: async () => (await import('../src/redis/redis-cases.mjs')).redisCases },
  slurm: {
    needs: ['slurmctld', 'slurmd', 'sbatch', 'munged'],
    load: async () => (await import('../src/slurm/slurm-cases.mjs')).slurmCases,
  },
  kubernetes: {
    needs: [],
    load: async () => (await import('../src/kubernetes/kubernetes-cases.mjs')).kubernetesCases,
  },
}
const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: Object.keys(suites) },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
    match: { type: 'string', default: '' },
    keep: { type: 'boolean', default: false },
  },
})
const chosen = flags.only.map(
  (name) => suites[name] ?? fail(`--only ${name}: expected ${Object.keys(suites).join(', ')}`),
)
const missing = chosen.flatMap(({ needs }) => needs).filter((name) => !isThere(name))
if (missing.length > 0)
  fail(`${missing.join(', ')} not found: apt-get install redis-server slurmctld slurmd slurm-client munge`)

bootstrap()
const checks = createChecks(console.log, flags.match)
// Sockets have short names.
const folder = mkdtempSync(join(tmpdir(), 'mkq-'))
try {
  const place = await openWorkplace(folder)
  for (const { load } of chosen) await (await load())({ place, check: checks.check, seed: flags.seed })
  await checks.check('no process is left', async () => {
    const left = processesWith(folder)
    for (const id of left) process.kill(id, 'SIGKILL')
    if (left.length > 0) throw new Error(`${left.length} processes are left`)
  })
} finally {
  if (flags.keep) console.log(folder)
  else rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
process.exitCode = checks.finish() ? 0 : 1

/** Also where Debian has what only root is expected to start. */
function isThere(name) {
  const PATH = `/usr/sbin:${process.env.PATH}`
  return spawnSync('sh', ['-c', `command -v ${name}`], { env: { ...process.env, PATH } }).status === 0
}

function fail(message) {
  console.error(`error: ${message}`)
  process.exit(2)
}
