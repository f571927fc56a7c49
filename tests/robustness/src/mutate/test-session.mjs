// A process that keeps what vitest has transformed, and runs the tests of some packages that have to do with a file, again and
// again, as it is asked to: the start of vitest takes longer than the tests of most files. The first failure is the answer.
// usage: node test-session.mjs PROJECT…, in the root of the repository, with IPC
import { basename } from 'node:path'
import { createVitest } from 'vitest/node'

/** Milliseconds that each file of tests took when it last ran to its end. */
const durations = new Map()
let changedFile = ''
let isAnswered = true

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
  onTestCaseResult(test) {
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
    project: [...process.argv.slice(2), 'isolated'],
    reporters: [reporter],
    silent: true,
    maxWorkers: 1,
    teardownTimeout: 1000,
    sequence: { sequencer: Sequencer },
  },
  { logLevel: 'silent', server: { watch: null } },
)
await vitest.standalone()

function answer(result) {
  if (!isAnswered) process.send(result)
  isAnswered = true
}

function fail(by, errors) {
  const message = String(errors?.[0]?.message ?? '').split('\n')[0]
  answer({ isPassed: false, by: `${by}: ${message}`.slice(0, 300), isTimeout: /timed out in \d/i.test(message) })
  // Nobody waits for the rest.
  void vitest.cancelCurrentRun('test-failure')
}

let last = Promise.resolve()
process.on('message', (file) => {
  last = last.then(() => run(file))
})
process.on('disconnect', () => process.exit())
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
  const startedAt = performance.now()
  try {
    const specifications = await vitest.getRelevantTestSpecifications()
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications, false)
    const isPassed = unhandledErrors.length === 0 && testModules.every((module) => module.ok())
    answer({ isPassed, by: String(unhandledErrors[0]?.message ?? ''), milliseconds: performance.now() - startedAt })
  } catch (error) {
    answer({ isPassed: false, by: String(error) })
  }
}
