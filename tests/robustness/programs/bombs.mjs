// Inputs that are meant to take too much time or memory: accepted, or one clear error, within a second and 200 MB.
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bootstrap } from '../../../scripts/bootstrap.mjs'
import { bombs } from '../src/bombs/all-bombs.mjs'
import { createReport } from '../src/report.mjs'
import { runCommand } from '../src/run-command.mjs'

const usage = `usage: npm run bombs -- [--only TEXT] [--jobs N] [--seconds N] [--megabytes N] [--verbose]
  --only                   those whose names have TEXT in them
  --jobs                   bombs at a time; 1
  --seconds, --megabytes   what a bomb may take; 1 and 200`
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '1' },
    megabytes: { type: 'string', default: '200' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.error(usage)
  process.exit(2)
}
/** One that is far over its time is ended. */
const patience = 20
const limits = { ms: Number(values.seconds) * 1000, megabytes: Number(values.megabytes) }
const child = fileURLToPath(new URL('../src/bombs/bomb-child.mjs', import.meta.url))

bootstrap()
const report = createReport('bombs')
const work = realpathSync(mkdtempSync(join(tmpdir(), 'mk-bombs-')))
try {
  const queue = [...bombs.keys()].filter((name) => name.includes(values.only))
  const lane = async (_, index) => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) await tryBomb(name, join(work, `${index}`))
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, lane))
} finally {
  rmSync(work, { recursive: true, force: true })
}
process.exitCode = report.end()

async function tryBomb(name, folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const laid = await runCommand([process.execPath, child, 'lay', name, folder])
  if (laid.status !== 0) throw new Error(`${name} could not be laid: ${laid.stderr}`)
  report.checked(name)
  const run = async () =>
    judge(await runCommand([process.execPath, child, 'run', name, folder], { timeoutMs: patience * 1000 }))
  const first = await run()
  // What a busy machine made slow is quicker the second time.
  const { faults, said } = first.faults.length > 0 ? await run() : first
  for (const fault of faults) report.finding(name, fault, said)
  if (faults.length > 0) report.endScenario(name)
  else if (values.verbose) console.log(`  ${name}: ${said}`)
}

function judge({ status, signal, stdout, stderr, timedOut }) {
  if (timedOut) return { faults: [`not through after ${patience} s`], said: '' }
  if (status !== 0) {
    const cause = /^.*(?:Error|FATAL|heap).*$/m.exec(stderr)?.[0] ?? ''
    return { faults: [`the process died: ${signal ?? `status ${status}`}`], said: cause }
  }
  const { said, fault, ms, megabytes } = JSON.parse(stdout.trim().split('\n').at(-1))
  const faults = [
    ...(fault === undefined ? [] : [fault]),
    ...(ms > limits.ms ? [`took ${(ms / 1000).toFixed(1)} s`] : []),
    ...(megabytes > limits.megabytes ? [`took ${megabytes.toFixed(0)} MB`] : []),
  ]
  return { faults, said: `${said} (${(ms / 1000).toFixed(2)} s, ${megabytes.toFixed(0)} MB)` }
}
