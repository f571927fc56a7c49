// Mutated inputs to all parsers: errors of their own, no hang, no flood of memory, nothing written where it should not be.
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bootstrap } from '../../../scripts/bootstrap.mjs'
import { runTarget } from '../src/fuzz/run-target.mjs'
import { targets } from '../src/fuzz/targets/index.mjs'
import { createReport } from '../src/report.mjs'

const usage = `usage: npm run fuzz -- [--seconds N] [--cases N] [--seed N] [--targets NAME,…] [--case N] [--jobs N] [--no-keep]
  --seconds   for all targets together; 60, or no limit where --cases is given
  --cases     for each target
  --case      that one alone
  --jobs      targets at a time; 2
  --no-keep   do not put inputs that fail into the corpus
  --targets   of ${[...targets.keys()].join(', ')}`

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    cases: { type: 'string' },
    seed: { type: 'string', default: '1' },
    targets: { type: 'string', default: [...targets.keys()].join() },
    case: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    'no-keep': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const chosen = values.targets.split(',')
if (values.help || chosen.some((name) => !targets.has(name))) {
  console.error(usage)
  process.exit(2)
}
bootstrap()
const work = realpathSync(mkdtempSync(join(tmpdir(), 'mk-fuzz-')))
const report = createReport('fuzz')
const jobs = Number(values.jobs)
const from = Number(values.case ?? 0)
const isUnlimited = values.seconds === undefined && (values.cases ?? values.case) !== undefined
const options = {
  seed: values.seed,
  from,
  to: values.case === undefined ? Number(values.cases ?? Number.MAX_SAFE_INTEGER) : from + 1,
  // A day for those without a limit.
  seconds: isUnlimited ? 86_400 : (Number(values.seconds ?? 60) * jobs) / chosen.length,
  work,
  keep: !values['no-keep'],
  report,
}
const queue = [...chosen]
try {
  await Promise.all(
    Array.from({ length: jobs }, async () => {
      for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
        const { accepted, refused } = await runTarget(targets.get(name), options)
        report.endScenario(name)
        console.log(`    ${accepted} accepted, ${refused} refused`)
      }
    }),
  )
} finally {
  rmSync(work, { recursive: true, force: true })
}
process.exitCode = report.end()
