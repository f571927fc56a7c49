// A process that keeps what vitest has transformed, and runs the tests of one package that have to do with a file, again and
// again, as it is asked to: the start of vitest takes longer than the tests of most files.
// usage: node test-session.mjs PROJECT, in the root of the repository, with IPC
import { createVitest } from 'vitest/node'

const project = process.argv[2]
const vitest = await createVitest(
  'test',
  { watch: false, run: true, project, reporters: [{}], silent: true, teardownTimeout: 1000 },
  { logLevel: 'silent', server: { watch: null } },
)
await vitest.standalone()

process.on('message', async (file) => {
  process.send({ isPassed: await isPassed(file) })
})
process.on('disconnect', () => process.exit())
process.send({ isReady: true })

async function isPassed(file) {
  vitest.invalidateFile(file)
  // What failed before would count as a result. There is no `bail`: what it leaves running would count for the next file.
  vitest.state.filesMap.clear()
  vitest.state.idMap.clear()
  vitest.config.related = [file]
  try {
    const specifications = await vitest.getRelevantTestSpecifications()
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications, false)
    return unhandledErrors.length === 0 && testModules.every((module) => module.ok())
  } catch {
    return false
  }
}
