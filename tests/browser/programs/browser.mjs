// Builds the example page and drives it in a headless Chromium: npm run test:browser
// Chromium is Debian's, or what CHROMIUM names. The last line is 'N passed, N failed'.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import puppeteer from 'puppeteer-core'
import { build, runnerImport, transformWithOxc } from 'vite'
import { diffPageCases } from '../src/diff-page-cases.mjs'
import { pageCases } from '../src/page-cases.mjs'
import { listExercises } from '../src/list-exercises.mjs'
import { plain } from '../src/plain.mjs'
import { serveFolder } from '../src/serve-folder.mjs'

const here = fileURLToPath(new URL('..', import.meta.url))
const root = fileURLToPath(new URL('../../..', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'mk-browser-'))
const generated = join(here, 'generated')

let passed = 0
const failures = []

async function check(name, run) {
  const started = performance.now()
  try {
    const note = await run()
    passed++
    console.log(`✓ ${name}${note === undefined ? '' : ` (${note})`} ${Math.round(performance.now() - started)} ms`)
  } catch (error) {
    failures.push(name)
    console.log(`✗ ${name}\n${String(error.stack ?? error).replace(/^/gm, '    ')}`)
  }
}

const browserPath =
  process.env['CHROMIUM'] ??
  ['chromium', 'chromium-browser', 'google-chrome']
    .map((name) => spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim())
    .find((path) => path !== '')
if (browserPath === undefined) {
  console.error('no Chromium was found; install one (apt-get install chromium), or name it in CHROMIUM')
  process.exit(2)
}

const exercises = await writeExercises()
await build({
  root: join(root, 'examples/browser'),
  logLevel: 'error',
  build: { outDir: join(work, 'page'), emptyOutDir: true },
})
await build({
  root: generated,
  base: './',
  logLevel: 'error',
  build: { outDir: join(work, 'suite'), emptyOutDir: true, target: 'es2023' },
})
const server = await serveFolder(work)
const { module: hubModule } = await runnerImport(join(root, 'packages/checkpoint/src/hub/__fixtures__/hub-server.ts'))
const browser = await puppeteer.launch({
  executablePath: browserPath,
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  protocolTimeout: 120_000,
})
try {
  const version = await browser.version()
  console.log(version)
  await checkSuite()
  await pageCases({
    browser,
    url: `${server.url}/page/index.html`,
    check,
    root,
    work,
    startHubServer: hubModule.startHubServer,
  })
  await diffPageCases({ browser, check, root, work })
} finally {
  await browser.close()
  await server.close()
  rmSync(work, { recursive: true, force: true })
  rmSync(generated, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failures.length} failed`)
process.exitCode = failures.length === 0 ? 0 : 1

/** Writes the programs of the packages as modules, for Node and for the page alike. */
async function writeExercises() {
  rmSync(generated, { recursive: true, force: true })
  mkdirSync(generated)
  const list = listExercises()
  for (const [name, code] of list)
    writeFileSync(
      join(generated, `${name.replaceAll('/', '-')}.mjs`),
      // Examples of READMEs have types.
      (
        await transformWithOxc(code.replaceAll("'./exercises/", "'../src/exercises/"), 'example.ts', {
          sourcemap: false,
        })
      ).code,
    )
  const entries = list.map(
    ([name]) => `  ${JSON.stringify(name)}: () => import('./${name.replaceAll('/', '-')}.mjs'),\n`,
  )
  writeFileSync(
    join(generated, 'main.ts'),
    `import { conformance, printedBy } from '../src/suite.ts'
import { plain } from '../src/plain.mjs'
const exercises: Record<string, () => Promise<unknown>> = {
${entries.join('')}}
Object.assign(globalThis, { conformance, printed: (name: string) => printedBy(exercises[name]!, plain) })
`,
  )
  writeFileSync(
    join(generated, 'index.html'),
    '<!doctype html><title>suite</title><script type="module" src="./main.ts"></script>',
  )
  return list.map(([name]) => name)
}

async function checkSuite() {
  const page = await browser.newPage()
  await page.goto(`${server.url}/suite/index.html`, { waitUntil: 'networkidle0' })
  for (const name of exercises)
    await check(`@mk/${name} prints in a page what it prints in Node`, async () => {
      const found = await page.evaluate((of) => globalThis.printed(of), name)
      const printed = []
      const { log } = console
      console.log = (...values) => void printed.push(...values)
      try {
        await import(join(generated, `${name.replaceAll('/', '-')}.mjs`))
      } finally {
        console.log = log
      }
      const expected = JSON.stringify(plain(printed))
      if (printed.length === 0) throw new Error('it prints nothing')
      if (found !== expected) throw new Error(`${found}\ninstead of\n${expected}`)
    })
  await check('the conformance suite passes with WebAssembly', async () => {
    const { passed: cases, failures: failed } = await page.evaluate(() => globalThis.conformance())
    if (failed.length > 0) throw new Error(failed.slice(0, 10).join('\n'))
    if (cases < 100) throw new Error(`only ${cases} cases`)
    return `${cases} cases`
  })
  await page.close()
}
