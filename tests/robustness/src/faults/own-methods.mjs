import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorLine, faultOfEnd, looksFinished, mergeCommand } from '../merge-command.mjs'
import { startCommand } from '../run-command.mjs'
import { openWorkplace } from './workplace.mjs'

const head = `import { add, defineMethod, mul, sum, z } from '@mk/methods'\nimport process from 'node:process'\n`
const methodOf = (merge, more = '') =>
  `${head}export const method = defineMethod({ name: 'own', summary: 'Mine.', base: 'none', models: { min: 1 }, parameters: { perModel: {}, methodWide: {} }, ${more}merge: ${merge} })\n`

/** Modules with mistakes; none of them is the program's. */
const modules = {
  'throws an error': methodOf(`() => { throw new Error('mine') }`),
  'throws a text': methodOf(`() => { throw 'mine' }`),
  'throws nothing': methodOf(`() => { throw undefined }`),
  'rejects later': methodOf(`async () => { await null; throw new TypeError('mine') }`),
  'returns nothing': methodOf('() => undefined'),
  'returns a text': methodOf(`() => 'x'`),
  'returns an array': methodOf('() => [1, 2, 3]'),
  'returns an object of its own': methodOf(`() => ({ kind: 'add', a: 1 })`),
  'returns a reduction': methodOf('({ models }) => sum(models[0])'),
  'reads a model that is not there': methodOf('({ models }) => add(models[0], models[7])'),
  'multiplies by NaN': methodOf('({ models }) => mul(models[0], NaN)'),
  'multiplies by a text': methodOf(`({ models }) => mul(models[0], 'x')`),
  'asks for nothing': methodOf('async ({ models }, _, { reduce }) => { await reduce(undefined); return models[0] }'),
  'ends the process': methodOf('() => process.exit(0)'),
  'ends the process later': methodOf(
    'async ({ models }) => { await new Promise((resolve) => setTimeout(resolve, 20)); process.exit(0) }',
  ),
  'throws where nobody waits': methodOf(
    `async ({ models }) => { setTimeout(() => { throw new Error('mine') }); await new Promise(() => {}) }`,
  ),
  'ends the process while it is loaded': `${head}process.exit(0)\n`,
  'exports nothing': head,
  'exports something else': `${head}export const method = { name: 'own' }\n`,
  'has a mistake of syntax': `${head}export const method = (`,
  'imports what is not there': `${head}import 'nowhere'\nexport const method = 1\n`,
  'throws while it is loaded': `${head}throw new Error('mine')\n`,
  'throws nothing while it is loaded': `${head}throw undefined\n`,
}

/**
 * Methods of one's own that throw, end the process, loop, or return nonsense: one error that names the method or its module.
 * @param {import('./context.mjs').FaultContext} context
 */
export async function ownMethods({ report, work, isQuick }) {
  const place = await openWorkplace({ folder: join(work, 'own'), library: undefined, beginning: 'fresh' })
  writeFileSync(join(place.folder, 'own.yml'), 'merge_method: own\nmodels: [{model: models/llama-ft1}]\n')
  const start = (text) => {
    place.reset()
    writeFileSync(join(place.folder, 'my-module.mjs'), text)
    const command = mergeCommand('own.yml', place.out, ['-j', '1', '--method-module', 'my-module.mjs'])
    return startCommand(command, { cwd: place.folder, timeoutMs: 20_000 })
  }
  const scenario = 'a method of one’s own with a mistake'
  for (const [name, text] of Object.entries(modules).filter((_, index) => !isQuick || index % 4 === 0)) {
    const ended = await start(text).ended
    report.checked(scenario)
    const what = judge(place, ended)
    if (what !== undefined) report.finding(scenario, what, `${name}: ${place.shorten(errorLine(ended))}`)
  }
  report.endScenario(scenario)
  await loops({ report, place, start })
  rmSync(join(place.folder, 'my-module.mjs'), { force: true })
  place.close()
}

function judge(place, ended) {
  const fault = faultOfEnd(ended)
  if (fault !== undefined) return fault
  if (ended.status === 0 && !looksFinished(place.out)) return 'status 0, but there is no OUT'
  if (ended.status === 0) return /own/.test(ended.stderr) ? undefined : 'status 0 without a word'
  if (looksFinished(place.out)) return 'an error, but OUT looks finished'
  return /\bown\b|my-module/.test(errorLine(ended)) ? undefined : 'the error names neither the method nor its module'
}

/** One that loops cannot be told from one that is slow, but it can be interrupted. */
async function loops({ report, place, start }) {
  const scenario = 'a method of one’s own that loops, interrupted'
  const bodies = ['() => { for (;;); }', 'async () => { for (;;) await null }']
  for (const [index, signal] of ['SIGINT', 'SIGTERM', 'SIGINT', 'SIGTERM'].entries()) {
    const merge = start(methodOf(bodies[index >> 1]))
    while (merge.isRunning() && place.strangers().length === 0) await sleep(50)
    await sleep(500)
    merge.kill(signal)
    const sentAt = performance.now()
    const ended = await merge.ended
    report.checked(scenario)
    if (ended.signal !== signal) report.finding(scenario, 'it does not end by the signal', `${signal}: ${ended.status}`)
    if (looksFinished(place.out)) report.finding(scenario, 'OUT looks finished', signal)
    if (performance.now() - sentAt > 1000) report.finding(scenario, 'it goes on for over a second', signal)
  }
  report.endScenario(scenario)
}
