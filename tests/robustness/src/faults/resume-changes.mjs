import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { shimEnvironment } from '../build-shim.mjs'
import { differences, isSameTree, readTree } from '../folder-tree.mjs'
import { errorLine, faultOfEnd, mergeCommand } from '../merge-command.mjs'
import { runCommand } from '../run-command.mjs'
import { interruptMerge } from './interrupt-merge.mjs'
import { openWorkplace } from './workplace.mjs'

const moduleText = (factor) =>
  `import { defineMethod, mul, z } from '@mk/methods'\n` +
  `export const method = defineMethod({ name: 'scaled', summary: 'One model, scaled.', base: 'none', models: { min: 1 }, ` +
  `parameters: { perModel: {}, methodWide: {} }, merge: async ({ models }) => mul(models[0], ${factor}) })\n`
const recipeOf = (method, more = '') => `merge_method: ${method}\nmodels: [{model: models/llama-ft1}]\n${more}`
const dare = (density) =>
  recipeOf('dare_linear', `base_model: models/llama-ft2\nparameters: {weight: 0.5, density: ${density}}\n`)

/** What is another when an interrupted merge goes on: the files put anew, or the options. */
const changes = {
  'the code of one’s own method': {
    before: (folder) => {
      writeFileSync(join(folder, 'own.mjs'), moduleText(2))
      writeFileSync(join(folder, 'r.yml'), recipeOf('scaled'))
    },
    after: (folder) => writeFileSync(join(folder, 'own.mjs'), moduleText(3)),
    options: ['--method-module', 'own.mjs'],
  },
  'the seed': {
    before: (folder) => writeFileSync(join(folder, 'r.yml'), dare(0.5)),
    optionsAfter: ['--random-seed', '9'],
  },
  'a parameter': {
    before: (folder) => writeFileSync(join(folder, 'r.yml'), dare(0.5)),
    after: (folder) => writeFileSync(join(folder, 'r.yml'), dare(0.6)),
  },
  'the dtype': {
    before: (folder) => writeFileSync(join(folder, 'r.yml'), dare(0.5)),
    after: (folder) => writeFileSync(join(folder, 'r.yml'), `${dare(0.5)}dtype: float16\n`),
  },
  'the device': {
    before: (folder) => writeFileSync(join(folder, 'r.yml'), dare(0.5)),
    optionsAfter: ['--device', 'reference'],
  },
  'the size of shards': {
    before: (folder) => writeFileSync(join(folder, 'r.yml'), dare(0.5)),
    optionsAfter: ['--out-shard-size', '30KB'],
  },
  'an input, with its old date': {
    before: (folder) => writeFileSync(join(folder, 'r.yml'), dare(0.5)),
    after: (folder) => rewriteInput(join(folder, 'models', 'llama-ft1', 'model.safetensors')),
  },
}

/** Other numbers in a file of the same size and time. */
function rewriteInput(file) {
  const { atime, mtime } = statSync(file)
  const bytes = readFileSync(file)
  bytes.copy(bytes, bytes.length - 4096, bytes.length - 8192, bytes.length - 4096)
  for (let at = bytes.length - 20_000; at < bytes.length; at += 4) bytes[at + 1] ^= 0x55
  writeFileSync(file, bytes)
  utimesSync(file, atime, mtime)
}

/**
 * Changes something between an interruption and the same command again: the bytes are those of the new merge, never a mixture.
 * @param {import('./context.mjs').FaultContext} context
 */
export async function resumeChanges({ report, shim, work, isQuick }) {
  if (shim.missing !== undefined) return report.skipped('changes before a merge goes on', shim.missing)
  const place = await openWorkplace({ folder: join(work, 'resumed'), library: shim.library, beginning: 'fresh' })
  const scenario = 'a change before an interrupted merge goes on'
  for (const [name, change] of Object.entries(changes)) {
    place.restoreInputs()
    report.checked(scenario)
    const finding = await tryChange(place, shim.library, change)
    if (finding !== undefined) report.finding(scenario, finding.what, `${name}: ${finding.detail}`)
  }
  place.restoreInputs()
  report.endScenario(scenario)
  await lyingJournals({ report, place, isQuick })
  place.close()
}

async function tryChange(place, library, { before, after = () => {}, options = [], optionsAfter = [] }) {
  const fresh = join(place.folder, 'fresh', 'out')
  const merge = (out, more, env) =>
    runCommand(mergeCommand('r.yml', out, ['-j', '1', ...options, ...more]), { cwd: place.folder, ...(env && { env }) })
  const clear = () => {
    rmSync(fresh, { recursive: true, force: true })
    rmSync(place.place, { recursive: true, force: true })
    mkdirSync(place.place)
  }
  clear()
  before(place.folder)
  const isInterrupted = await interruptMerge({
    clear,
    merge: (fault) => merge(place.out, [], shimEnvironment({ library, path: '.safetensors', fault })),
    hasEnded: () => existsSync(place.out),
  })
  if (!isInterrupted) return { what: 'it could not be interrupted', detail: '' }
  after(place.folder)
  const undisturbed = await merge(fresh, optionsAfter)
  if (undisturbed.status !== 0) return { what: 'the new merge fails', detail: errorLine(undisturbed) }
  const ended = await merge(place.out, optionsAfter)
  const fault = faultOfEnd(ended)
  if (fault !== undefined) return { what: fault, detail: errorLine(ended) }
  if (ended.status !== 0) return { what: 'it does not go on', detail: errorLine(ended) }
  const resumed = /\d+ of \d+ tensors were already done/.exec(ended.stderr)?.[0] ?? ''
  return isSameTree(readTree(fresh), readTree(place.out))
    ? undefined
    : { what: 'status 0, but a mixture', detail: `${resumed} ${differences(readTree(fresh), readTree(place.out))}` }
}

/** What a flipped bit or a hand may make of a journal. */
const lies = {
  'an index past the end': (journal) => ({ ...journal, finished: [...journal.finished, 999_999] }),
  'a negative index': (journal) => ({ ...journal, finished: [-1] }),
  'an index that is a fraction': (journal) => ({ ...journal, finished: [0.5] }),
  'an index that is a text': (journal) => ({ ...journal, finished: ['0'] }),
  'all are finished': (journal) => ({ ...journal, finished: Array.from({ length: 39 }, (_, index) => index) }),
  'finished is no list': (journal) => ({ ...journal, finished: {} }),
  'process 0': (journal) => ({ ...journal, process: 0 }),
  'process -1': (journal) => ({ ...journal, process: -1 }),
  'process 1': (journal) => ({ ...journal, process: 1 }),
  'no identity': (journal) => ({ ...journal, identity: null }),
}

/** Goes on from journals that do not tell the truth. */
async function lyingJournals({ report, place, isQuick }) {
  const scenario = 'a journal that lies'
  for (const [name, lie] of Object.entries(lies).slice(0, isQuick ? 5 : undefined)) {
    place.reset()
    await interruptMerge({
      clear: () => place.reset(),
      merge: (fault) => place.run({ fault, path: '.safetensors' }),
      hasEnded: () => existsSync(place.out),
    })
    const file = findJournal(place.place)
    if (file === undefined) return report.skipped(scenario, 'an interrupted merge leaves no journal.json')
    report.checked(scenario)
    const text = JSON.stringify(lie(JSON.parse(readFileSync(file, 'utf8'))))
    writeFileSync(file, text)
    const ended = await place.run({ timeoutMs: 20_000 })
    const fault = faultOfEnd(ended)
    if (fault !== undefined) report.finding(scenario, fault, `${name}: ${errorLine(ended)}`)
    else if (ended.status === 0 && !isSameTree(place.outTree(), place.reference))
      report.finding(scenario, 'status 0, but wrong bytes', name)
    else if (ended.status !== 0)
      report.finding(scenario, 'it does not go on', `${name}: ${place.shorten(errorLine(ended))}`)
  }
  report.endScenario(scenario)
}

const findJournal = (folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('journal.json'))
    .map((name) => join(folder, name))[0]
