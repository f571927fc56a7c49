// Small faults put into the sources, one at a time, in a copy: do the tests of the package notice?
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bootstrap, root } from '../../../scripts/bootstrap.mjs'
import { copyRepository } from '../src/mutate/copy-repository.mjs'
import { findEquivalent, readEquivalents } from '../src/mutate/equivalents.mjs'
import { checkUnchanged, createTestSession, listMutants, shuffle, tryMutant } from '../src/mutate/run-mutants.mjs'
import { createRandom } from '../src/random.mjs'

const usage = `usage: npm run mutate -- [--packages NAME,…] [--sample N] [--seed N] [--seconds N] [--jobs N] [--only TEXT] [--report FILE]
  --packages   folders in packages/; params,config,safetensors,tensor,methods,merge,checkpoint
  --sample     mutants that compile, for each package; 40
  --seconds    for each package, after which no further mutant is tried; no limit
  --only       files whose path has TEXT in it
  --report     put survivors there as JSON, in the form of equivalent-mutants.json`
const { values } = parseArgs({
  options: {
    packages: { type: 'string', default: 'params,config,safetensors,tensor,methods,merge,checkpoint' },
    sample: { type: 'string', default: '40' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: 'Infinity' },
    jobs: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    report: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.error(usage)
  process.exit(2)
}

/** What does not compile is found out by no test. */
const isCounted = ({ outcome }) => outcome !== 'not compiled'

bootstrap()
const work = realpathSync(mkdtempSync(join(tmpdir(), 'mk-mutate-')))
const equivalents = readEquivalents()
const copies = Array.from({ length: Number(values.jobs) }, (_, index) => join(work, `copy-${index}`))
const unlisted = []
try {
  for (const copy of copies) copyRepository(root.replace(/[\\/]$/, ''), copy)
  for (const name of values.packages.split(',')) unlisted.push(...(await mutatePackage(name)))
} finally {
  rmSync(work, { recursive: true, force: true })
}
if (values.report !== undefined) {
  const list = unlisted.map(({ file, before, after }) => ({
    file: file.split(/[\\/]/).at(-1),
    before,
    after,
    reason: '',
  }))
  writeFileSync(values.report, `${JSON.stringify(list, undefined, 2)}\n`)
}
console.log(`mutate: ${unlisted.length} survivors that no list explains`)
process.exitCode = unlisted.length === 0 ? 0 : 1

/** @returns the survivors that are not listed as equivalent */
async function mutatePackage(name) {
  await checkUnchanged(copies[0], name)
  const all = listMutants(root, name).filter(({ file }) => file.includes(values.only))
  const queue = shuffle(all, createRandom(`${name}/${values.seed}`))
  const isEnough = () => performance.now() > endsAt || results.filter(isCounted).length >= Number(values.sample)
  const endsAt = performance.now() + Number(values.seconds) * 1000
  const results = []
  await Promise.all(
    copies.map(async (copy) => {
      const session = createTestSession(copy, name)
      try {
        for (let place = queue.shift(); place !== undefined && !isEnough(); place = queue.shift())
          results.push(await tryMutant(session, place))
      } finally {
        session.close()
      }
    }),
  )
  const counted = results.filter(isCounted)
  const survivors = counted.filter(({ outcome }) => outcome === 'survives')
  const found = survivors.filter((mutant) => findEquivalent(equivalents, mutant) === undefined)
  const caught = counted.length - survivors.length
  const score = counted.length === 0 ? '–' : `${((100 * caught) / (caught + found.length)).toFixed(0)} %`
  console.log(
    `${name}: ${score} (${counted.length} tried of ${all.length} places): ${caught} caught, ${found.length} survive, ` +
      `${survivors.length - found.length} equivalent, ${results.length - counted.length} do not compile`,
  )
  for (const { file, line, kind, before, after } of found.toSorted(
    (a, b) => a.file.localeCompare(b.file) || a.line - b.line,
  ))
    console.log(`  ${file}:${line} ${kind}\n    - ${before}\n    + ${after}`)
  return found
}
