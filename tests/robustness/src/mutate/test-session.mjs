// A process that keeps a vitest and its workers, and runs tests of an area again and again, as it is asked to: what has been
// imported stays, but for what depends on a changed file. The first failure is the answer, unless all are asked for.
// usage: node test-session.mjs AREA SECONDS-OF-A-TEST, in the root of the repository, with IPC
import { resolve, sep } from 'node:path'
import { createVitest } from 'vitest/node'
import { areas } from './areas.mjs'
import { keepWorkers } from './kept-worker.mjs'

/**
 * @typedef {object} Request
 * @property {readonly string[]} changed files that are not as they were when they were last named here
 * @property {readonly string[]} [tests] files to run, in this order; all of the area by default
 * @property {boolean} [isWhole] run all of them, whatever fails
 * @property {boolean} [isFresh] in processes that have run nothing before
 * @property {string} [relatedTo] run nothing: which tests import that file?
 */

const { packages, folders, tests: more = [] } = areas.find(({ name }) => name === process.argv[2])
const patience = Number(process.argv[3])
const isOfArea = ({ moduleId }) =>
  more.some((file) => resolve(moduleId) === resolve(file)) ||
  folders.some((folder) => resolve(moduleId).startsWith(resolve(folder) + sep))

/** @type {Request} */
let request = { changed: [] }
let lastChanged = []
let isAnswered = true
let isRunning = false
let runs = 0
let spentBefore = 0
let progressAt = 0

class Sequencer {
  sort(specifications) {
    const ranks = new Map(request.tests?.map((file, index) => [file, index]))
    return specifications.toSorted((a, b) => (ranks.get(a.moduleId) ?? 0) - (ranks.get(b.moduleId) ?? 0))
  }
  shard(specifications) {
    return specifications
  }
}

const reporter = {
  onTestModuleStart: showProgress,
  onTestCaseResult(test) {
    showProgress()
    const { state, errors } = test.result()
    if (state === 'failed') fail(test.module.moduleId, test.fullName, errors)
  },
  onTestModuleEnd(module) {
    showProgress()
    if (module.state() === 'failed') fail(module.moduleId, module.relativeModuleId, module.errors())
  },
}

const vitest = await createVitest(
  'test',
  {
    watch: false,
    run: true,
    project: [...packages, '*:isolated'],
    reporters: [reporter],
    silent: true,
    maxWorkers: 1,
    teardownTimeout: 1000,
    testTimeout: patience * 1000,
    hookTimeout: patience * 1000,
    sequence: { sequencer: Sequencer },
  },
  { logLevel: 'silent', server: { watch: null } },
)
await vitest.standalone()
const workers = keepWorkers(vitest)
const specifications = (await vitest.globTestSpecifications()).filter(isOfArea)
/** What the process of each project has yet to import anew. @type {Map<string, Set<string>>} */
const stale = new Map(vitest.projects.map(({ name }) => [name, new Set()]))

function showProgress() {
  spentBefore = workers.spentSeconds()
  progressAt = performance.now()
  process.send({ isUnderWay: true })
}

/** What computes for so long without the end of a test never will end one, however busy the machine is. */
const loopSeconds = 15

setInterval(() => {
  if (!isRunning) return
  const isLoop = workers.spentSeconds() - spentBefore > loopSeconds
  if (!isLoop && performance.now() - progressAt < patience * 3000) return
  answer({ isPassed: false, by: 'no test ends', isLoop, isTimeout: !isLoop })
  workers.end()
}, 500)

function answer(result) {
  if (!isAnswered) process.send(result)
  isAnswered = true
}

function fail(file, name, errors) {
  if (request.isWhole) return
  const message = String(errors?.[0]?.message ?? '').split('\n')[0]
  const isTimeout = /timed out in \d/i.test(message)
  answer({ isPassed: false, file, by: `${name}: ${message}`.slice(0, 300), isTimeout })
  // Nobody waits for the rest; the second call ends what does not end by itself.
  const failed = runs
  const cancel = () => isRunning && runs === failed && void vitest.cancelCurrentRun('test-failure')
  cancel()
  setTimeout(cancel, 2000)
}

let last = Promise.resolve()
process.on('message', (message) => {
  last = last.then(() => (message.relatedTo === undefined ? run(message) : sendRelated(message.relatedTo)))
})
// With the processes of tests that loop.
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'))
process.send({ isReady: true })

/** The files that import one, by others or themselves, and the file. */
function dependentsOf(file) {
  const found = new Set([file])
  for (const project of vitest.projects)
    for (const { moduleGraph } of Object.values(project.vite.environments)) {
      const add = ({ importers }) => {
        for (const importer of importers)
          if (importer.file !== null && !found.has(importer.file)) {
            found.add(importer.file)
            add(importer)
          }
      }
      for (const module of moduleGraph.getModulesByFile(file) ?? []) add(module)
    }
  return found
}

function sendRelated(file) {
  const dependents = dependentsOf(file)
  process.send({ related: specifications.map(({ moduleId }) => moduleId).filter((id) => dependents.has(id)) })
}

/** @param {Request} given */
async function run(given) {
  request = given
  isAnswered = false
  runs++
  try {
    if (given.isFresh === true) workers.end()
    // The ones before are as they were again.
    for (const file of [...lastChanged, ...given.changed]) {
      for (const dependent of dependentsOf(file)) for (const files of stale.values()) files.add(dependent)
      vitest.invalidateFile(file)
    }
    lastChanged = given.changed
    // What failed before would count as a result.
    vitest.state.filesMap.clear()
    vitest.state.idMap.clear()
    const wanted = specifications.filter(({ moduleId }) => given.tests?.includes(moduleId) !== false)
    for (const name of new Set(wanted.map(({ project }) => project.name))) {
      for (const file of stale.get(name)) vitest.watcher.invalidates.add(file)
      stale.get(name).clear()
    }
    showProgress()
    isRunning = true
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(wanted, false)
    const modules = testModules.map((module) => ({
      file: module.moduleId,
      isPassed: module.ok() && module.state() !== 'queued',
      ms: module.diagnostic().duration,
      by: [...module.children.allTests('failed')].map(({ fullName }) => fullName)[0] ?? module.errors()[0]?.message,
    }))
    const [error] = unhandledErrors
    const isEnded = testModules.length === wanted.length && !vitest.isCancelling
    const failed = modules.find(({ isPassed }) => !isPassed)
    if (error === undefined && isEnded && failed === undefined) answer({ isPassed: true, modules })
    else
      answer({
        isPassed: false,
        modules,
        file: failed?.file,
        by: String(error?.message ?? failed?.by ?? 'not all tests ran'),
        // What ends a process may be something else than the mutant.
        isTimeout: failed === undefined,
      })
    if (error !== undefined) workers.end()
  } catch (error) {
    answer({ isPassed: false, by: String(error), isTimeout: true })
    workers.end()
  } finally {
    isRunning = false
  }
}
