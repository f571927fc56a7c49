// What packages cost in a bundle, and what an installation brings, beside the budgets: npm run sizes. With --write the budgets of
// what is over, new or gone are written anew.
import { writeFileSync } from 'node:fs'
import { bootstrap, root, run } from '../../../scripts/bootstrap.mjs'
import { listPublished } from '../../../scripts/workspace.mjs'
import { budgetsFile, listBundles, measureBundles, measureInstallation, readBudgets } from '../src/measure-size.mjs'

bootstrap()
const budgets = readBudgets()
const bundles = listBundles(listPublished(), budgets)
const sizes = await measureBundles(bundles)
const kilobytes = (bytes) => (bytes / 1000).toFixed(1)
/** A tenth more than it is, in whole kilobytes: not every line is a new budget. */
const budgetFor = (bytes) => Math.ceil((bytes * 1.1) / 1000) * 1000

console.log('| in a bundle | kB | of | kB, gzip | of |\n|---|--:|--:|--:|--:|')
const entries = {}
for (const [index, { kind, name }] of bundles.entries()) {
  const { minified, gzipped } = sizes[index]
  const budget = budgets[kind][name]
  const isOver = budget?.minified === undefined || minified > budget.minified || gzipped > budget.gzipped
  const [of, ofGzip] = isOver ? [undefined, undefined] : [budget.minified, budget.gzipped]
  console.log(
    `| ${name} | ${kilobytes(minified)} | ${of === undefined ? 'over' : kilobytes(of)} | ${kilobytes(gzipped)} | ${ofGzip === undefined ? 'over' : kilobytes(ofGzip)} |`,
  )
  const written = isOver ? { minified: budgetFor(minified), gzipped: budgetFor(gzipped) } : budget
  if (kind === 'entries') entries[name] = written
  else Object.assign(budget, written)
}
console.log('\n| installed | packages | of | MB | of | MB on disk | of |\n|---|--:|--:|--:|--:|--:|--:|')
const megabytes = (bytes) => (bytes / 1e6).toFixed(1)
for (const { directories, ...of } of budgets.installations) {
  const { packages, bytes, blocks } = measureInstallation(directories)
  console.log(
    `| ${directories.join(', ')} | ${packages} | ${of.packages} | ${megabytes(bytes)} | ${megabytes(of.bytes)} | ${megabytes(blocks)} | ${megabytes(of.blocks)} |`,
  )
}
if (process.argv.includes('--write')) {
  writeFileSync(budgetsFile, `${JSON.stringify({ ...budgets, entries }, undefined, 2)}\n`)
  run(process.execPath, [`${root}/node_modules/oxfmt/bin/oxfmt`, budgetsFile])
  console.log('\nwrote tests/packaging/budgets.json')
}
