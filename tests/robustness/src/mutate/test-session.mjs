// A process that keeps what vitest has transformed, and runs the tests of an area that have to do with a file, again and again,
// as it is asked to: the start of vitest takes longer than the tests of most files. The first failure is the answer.
// usage: node test-session.mjs AREA MILLISECONDS-OF-A-TEST, in the root of the repository, with IPC
import { basename, resolve, sep } from 'node:path'
import { createVitest } from 'vitest/node'
import { areas } from './areas.mjs'

const { packages, folders, tests = [] } = areas.find(({ name }) => name === process.argv[2])
const isOfArea = ({ moduleId }) =>
  tests.some((file) => resolve(moduleId) === resolve(file)) ||
  folders.some((folder) => resolve(moduleId).startsWith(resolve(folder) + sep))

/** Milliseconds that each file of tests took when it last ran to its end. */
const durations = new Map()
let changedFile = ''
let isAnswered = true
let isRunning = false
let runs = 0

/** The test beside the file first, then the quick ones. */
class Sequencer {
  sort(specifications) {
    const own = basename(changedFile).replace(/\.ts$/, '.')
    const rank = ({ moduleId }) => (basename(moduleId).startsWith(own) ? -1 : (durations.get(moduleId) ?? 0))
    return specifications.toSorted((a, b) => rank(a) - rank(b))
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
    if (state === 'failed') fail(test.fullName, errors)
  },
  onTestModuleEnd(module) {
    if (module.ok()) durations.set(module.moduleId, module.diagnostic().duration)
    else if (module.state() === 'failed') fail(module.relativeModuleId, module.errors())
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
    testTimeout: Number(process.argv[3]),
    hookTimeout: Number(process.argv[3]),
    sequence: { sequencer: Sequencer },
  },
  { logLevel: 'silent', server: { watch: null } },
)
await vitest.standalone()

function showProgress() {
  process.send({ isUnderWay: true })
}

function answer(result) {
  if (!isAnswered) process.send(result)
  isAnswered = true
}

function fail(by, errors) {
  const message = String(errors?.[0]?.message ?? '').split('\n')[0]
  answer({ isPassed: false, by: `${by}: ${message}`.slice(0, 300), isTimeout: /timed out in \d/i.test(message) })
  // Nobody waits for the rest; the second call ends what does not end by itself.
  const failed = runs
  const cancel = () => isRunning && runs === failed && void vitest.cancelCurrentRun('test-failure')
  cancel()
  setTimeout(cancel, 2000)
}

let last = Promise.resolve()
process.on('message', (file) => {
  last = last.then(() => run(file))
})
// With the processes of tests that loop.
process.on('disconnect', () => process.kill(-process.pid, 'SIGKILL'))
process.send({ isReady: true })

/** Runs the tests that have to do with the file, or all if it is ''. */
async function run(file) {
  // The one before is as it was again.
  for (const path of [changedFile, file]) if (path !== '') vitest.invalidateFile(path)
  changedFile = file
  isAnswered = false
  // What failed before would count as a result.
  vitest.state.filesMap.clear()
  vitest.state.idMap.clear()
  vitest.config.related = file === '' ? undefined : [file]
  try {
    isRunning = true
    runs++
    const specifications = (await vitest.getRelevantTestSpecifications()).filter(isOfArea)
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications, false)
    const [error] = unhandledErrors
    const isWhole = testModules.length === specifications.length && !vitest.isCancelling
    const isPassed = isWhole && testModules.every((module) => module.ok() && module.state() !== 'queued')
    if (error === undefined && isPassed) answer({ isPassed })
    else answer({ isPassed: false, by: String(error?.message ?? 'not all tests ran'), isTimeout: error === undefined })
  } catch (error) {
    answer({ isPassed: false, by: String(error) })
  } finally {
    isRunning = false
  }
}
