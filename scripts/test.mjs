// All tests of all packages; further arguments go to vitest. Ends with 'N passed, N failed'.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootstrap, root, run } from './bootstrap.mjs'

bootstrap()
const folder = mkdtempSync(join(tmpdir(), 'mk-test-'))
const reportFile = join(folder, 'report.json')
const status = run(
  process.execPath,
  [
    `${root}/node_modules/vitest/vitest.mjs`,
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportFile}`,
    ...process.argv.slice(2),
  ],
  { env: { ...process.env, MK_TEST_BUILT: '1' } },
)
const { passed, failed } = counts()
rmSync(folder, { recursive: true })
process.exitCode = status || (failed > 0 ? 1 : 0)
console.log(`${passed} passed, ${failed} failed`)

/** A file that fails outside its tests, or a run that fails outside its files, counts as one failure. */
function counts() {
  let report
  try {
    report = JSON.parse(readFileSync(reportFile, 'utf8'))
  } catch {
    return { passed: 0, failed: 1 }
  }
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length
  const failed = report.numFailedTests + brokenFiles
  return { passed: report.numPassedTests, failed: failed === 0 && status !== 0 ? 1 : failed }
}
