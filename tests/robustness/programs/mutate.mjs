// Small faults put into the sources, one at a time, in a copy: do the tests of the package notice?
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { bootstrap, root, run } from '../../../scripts/bootstrap.mjs'
import { areas } from '../src/mutate/areas.mjs'
import { compileMutants } from '../src/mutate/compile-mutants.mjs'
import { copyRepository } from '../src/mutate/copy-repository.mjs'
import { findEquivalent, readEquivalents } from '../src/mutate/equivalents.mjs'
import { openResults } from '../src/mutate/results.mjs'
import { openBench } from '../src/mutate/run-mutants.mjs'
import { orderMutants } from '../src/mutate/sample.mjs'

const usage = `usage: npm run mutate -- [--areas NAME,…] [--sample N] [--seed N] [--seconds N] [--patience N] [--only TEXT] [--quick] [--results FILE] [--report FILE]
  --areas      ${areas.map(({ name }) => name).join(',')}
  --sample     mutants that compile, for each area; 60
  --seconds    for each area, after which no further mutant is tried; no limit
  --patience   seconds that a test may take; 20, more on a busy machine
  --only       files whose path has TEXT in it
  --quick      only tests that were seen to call the function run: what survives may be noticed by others
  --results    keep what comes of each mutant there; a run that is repeated tries survivors and what has changed
  --report     put survivors there as JSON, in the form of equivalent-mutants.json`
const { values } = parseArgs({
  options: {
    areas: { type: 'string', default: areas.map(({ name }) => name).join(',') },
    sample: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: 'Infinity' },
    patience: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    results: { type: 'string' },
    report: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.error(usage)
  process.exit(2)
}

/** What does not compile is found out by no test, and of what a busy machine didn't come to nothing is known. */
const isCounted = ({ outcome }) => outcome !== 'not compiled' && outcome !== 'undecided'

/** So many are tried before it is made sure that nothing was left behind by one. */
const groupSize = 20

bootstrap({ build: false })
if (run(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, '-b']) !== 0) process.exit(1)
const equivalents = readEquivalents()
const patience = Number(values.patience)
const known = openResults(values.results)
const work = realpathSync(mkdtempSync(join(tmpdir(), 'mk-mutate-')))
process.on('exit', () => rmSync(work, { recursive: true, force: true, maxRetries: 5 }))
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))
copyRepository(root.replace(/[\\/]$/, ''), work)
const unlisted = []
for (const name of values.areas.split(',')) {
  const area = areas.find((one) => one.name === name)
  if (area === undefined) throw new Error(`there is no area '${name}'`)
  unlisted.push(...(await mutateArea(area)))
}
if (values.report !== undefined) {
  const list = unlisted.map(({ file, before, after }) => ({ file: basename(file), before, after, reason: '' }))
  writeFileSync(values.report, `${JSON.stringify(list, undefined, 2)}\n`)
}
console.log(`mutate: ${unlisted.length} survivors that no list explains`)
process.exitCode = unlisted.length === 0 ? 0 : 1

/** @returns the survivors that are not listed as equivalent */
async function mutateArea(area) {
  const places = orderMutants(work, area, values.seed).filter(({ file }) => file.includes(values.only))
  const results = await tryMutants(area, places)
  const counted = results.filter(isCounted)
  const undecided = results.filter(({ outcome }) => outcome === 'undecided').length
  const survivors = counted.filter(({ outcome }) => outcome === 'survives')
  const found = survivors.filter((mutant) => findEquivalent(equivalents, mutant) === undefined)
  const caught = counted.length - survivors.length
  const score = counted.length === 0 ? '–' : `${((100 * caught) / (caught + found.length)).toFixed(0)} %`
  console.log(
    `${area.name}: ${score} (${counted.length} tried of ${places.length} places): ${caught} caught, ${found.length} survive, ` +
      `${survivors.length - found.length} equivalent, ${results.length - counted.length - undecided} do not compile` +
      (undecided === 0 ? '' : `, ${undecided} undecided`),
  )
  for (const { file, line, kind, before, after } of found.toSorted(
    (a, b) => a.file.localeCompare(b.file) || a.line - b.line,
  ))
    console.log(`  ${file}:${line} ${kind}\n    - ${before}\n    + ${after}`)
  return found
}

/** Goes through the places until enough of them compile. */
async function tryMutants(area, places) {
  const endsAt = performance.now() + Number(values.seconds) * 1000
  const files = [...new Set(places.map(({ file }) => file))]
  const results = []
  const countLeft = () => Number(values.sample) - results.filter(isCounted).length
  let bench
  let next = 0
  try {
    while (countLeft() > 0 && next < places.length && performance.now() < endsAt) {
      const some = places.slice(next, (next += countLeft()))
      const compiled = await compileMutants(
        work,
        area.packages,
        some.filter(({ id }) => known.find(id) === undefined),
      )
      const unknown = []
      for (const place of some) {
        const result = known.find(place.id)
        if (result !== undefined) results.push(result)
        else if (compiled.shift()) unknown.push(place)
        else keep(place, { outcome: 'not compiled' })
      }
      while (unknown.length > 0 && performance.now() < endsAt) {
        bench ??= await openBench({ copy: work, area, files, canary: unknown[0].file, patience, isQuick: values.quick })
        const tried = []
        for (const place of unknown.splice(0, groupSize)) {
          if (performance.now() > endsAt) break
          tried.push({ place, outcome: await bench.tryMutant(place) })
        }
        const outcomes = await bench.confirm(tried)
        for (const [index, { place }] of tried.entries()) keep(place, outcomes[index])
      }
    }
  } finally {
    bench?.close()
  }
  return results

  function keep({ id, file, line, before, after, mutant }, { outcome, by }) {
    const result = { id, outcome, ...(by !== undefined && { by }), file, line, kind: mutant.kind, before, after }
    known.add(result)
    results.push(result)
  }
}
