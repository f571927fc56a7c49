// Faults of the system while merging: kills, failing calls, full disks, changing inputs, two merges at once, limits.
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bootstrap } from '../../../scripts/bootstrap.mjs'
import { buildShim } from '../src/build-shim.mjs'
import { changingInputs } from '../src/faults/changing-inputs.mjs'
import { crashPoints } from '../src/faults/crash-points.mjs'
import { failingCalls } from '../src/faults/failing-calls.mjs'
import { fullDisks } from '../src/faults/full-disks.mjs'
import { killParts } from '../src/faults/kill-parts.mjs'
import { killResume } from '../src/faults/kill-resume.mjs'
import { limits } from '../src/faults/limits.mjs'
import { ownMethods } from '../src/faults/own-methods.mjs'
import { permissions } from '../src/faults/permissions.mjs'
import { resumeChanges } from '../src/faults/resume-changes.mjs'
import { trust } from '../src/faults/trust.mjs'
import { twoMerges } from '../src/faults/two-merges.mjs'
import { unmountBelow } from '../src/faults/workplace.mjs'
import { createRandom } from '../src/random.mjs'
import { createReport } from '../src/report.mjs'

const scenarios = {
  killResume,
  killParts,
  crashPoints,
  failingCalls,
  fullDisks,
  changingInputs,
  resumeChanges,
  permissions,
  trust,
  ownMethods,
  twoMerges,
  limits,
}
const usage = `usage: npm run test:faults -- [--quick] [--only NAME,…] [--jobs N] [--kills N] [--megabytes N] [--seed N] [--work FOLDER]
  --quick       a sample of each, for every change
  --only        of ${Object.keys(scenarios).join(', ')}
  --jobs        scenarios at a time; 1
  --kills       for each of six recipes, and for parts; 50, with --quick 3
  --megabytes   of each model that is killed over; 200, with --quick 24
  --work        where to put files of a few hundred megabytes`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(scenarios).join() },
    jobs: { type: 'string', default: '1' },
    kills: { type: 'string' },
    megabytes: { type: 'string' },
    seed: { type: 'string', default: '1' },
    work: { type: 'string', default: tmpdir() },
    help: { type: 'boolean', default: false },
  },
})
const chosen = values.only.split(',')
if (values.help || chosen.some((name) => !Object.hasOwn(scenarios, name))) {
  console.error(usage)
  process.exit(2)
}
bootstrap()
const work = realpathSync(mkdtempSync(join(values.work, 'mk-faults-')))
const report = createReport('test:faults')
try {
  const shim = buildShim(work)
  const queue = [...chosen]
  const lane = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) await run(name, shim)
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, lane))
} finally {
  unmountBelow(work)
  rmSync(work, { recursive: true, force: true })
}
process.exitCode = report.end()

async function run(name, shim) {
  mkdirSync(join(work, name))
  await scenarios[name]({
    report,
    work: join(work, name),
    shim,
    random: createRandom(`${name}/${values.seed}`),
    isQuick: values.quick,
    kills: Number(values.kills ?? (values.quick ? 3 : 50)),
    megabytes: Number(values.megabytes ?? (values.quick ? 24 : 200)),
  })
}
