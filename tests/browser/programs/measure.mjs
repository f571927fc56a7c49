// How fast the example page merges two files of 600 MB, and how much memory it takes, in turns with mergekit-yaml with as many
// threads: node tests/browser/programs/measure.mjs [pairs] [method …]
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import puppeteer from 'puppeteer-core'
import { build } from 'vite'
import { serveFolder } from '../src/serve-folder.mjs'
import { writeMatrices } from '../src/write-matrices.mjs'

const [, , pairs = 3, ...only] = process.argv
const threads = 2
const root = fileURLToPath(new URL('../../..', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'mk-measure-'))
const recipes = {
  linear: 'merge_method: linear\nparameters: {weight: 0.5}\nmodels: [{model: a.safetensors}, {model: b.safetensors}]',
  slerp:
    'merge_method: slerp\nbase_model: a.safetensors\nparameters: {t: 0.5}\nmodels: [{model: a.safetensors}, {model: b.safetensors}]',
  ties: 'merge_method: ties\nbase_model: a.safetensors\nparameters: {weight: 1, density: 0.5}\nmodels: [{model: b.safetensors}]',
}

const matrices = { count: 18, shape: [2048, 8192] }

/** Peak memory of the renderers, that of the page among them, in MB. */
const peakOfRenderers = () =>
  Math.max(
    ...readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid))
      .map((pid) => {
        try {
          if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')) return 0
          if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(work)) return 0
          return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1000
        } catch {
          return 0
        }
      }),
  )

async function inPage(url, recipe) {
  const browser = await puppeteer.launch({
    executablePath: process.env['CHROMIUM'] ?? spawnSync('which', ['chromium'], { encoding: 'utf8' }).stdout.trim(),
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    userDataDir: join(work, 'profile'),
    protocolTimeout: 600_000,
  })
  try {
    const page = await browser.newPage()
    await page.goto(url)
    const empty = peakOfRenderers()
    const input = await page.$('#choose-files')
    await input.uploadFile(join(work, 'a.safetensors'), join(work, 'b.safetensors'))
    await page.waitForFunction(() => document.querySelectorAll('#models li').length === 2)
    await page.$eval('#threads', (element, count) => (element.value = count), String(threads))
    await page.$eval(
      '#recipe',
      (element, text) => {
        element.value = text
        element.dispatchEvent(new Event('input', { bubbles: true }))
      },
      recipe,
    )
    const started = performance.now()
    await page.click('#merge')
    // Asked at every frame, as is usual, the page would draw as many as it can.
    const isThrough = () => !document.getElementById('merge').disabled
    await page.waitForFunction(isThrough, { timeout: 600_000, polling: 'mutation' })
    const seconds = (performance.now() - started) / 1000
    const error = await page.$eval('#error', (element) => (element.hidden ? '' : element.textContent))
    if (error !== '') throw new Error(error)
    return { seconds, peak: peakOfRenderers(), empty }
  } finally {
    await browser.close()
    rmSync(join(work, 'profile'), { recursive: true, force: true })
  }
}

function byCommand(recipe) {
  writeFileSync(join(work, 'recipe.yml'), recipe)
  rmSync(join(work, 'merged'), { recursive: true, force: true })
  const started = performance.now()
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, 'apps/cli/bin/mergekit-yaml.cjs'), 'recipe.yml', 'merged', '--threads', String(threads)],
    { cwd: work, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(stderr)
  return (performance.now() - started) / 1000
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

try {
  for (const [index, name] of ['a', 'b'].entries())
    writeMatrices(join(work, `${name}.safetensors`), { ...matrices, seed: index + 1 })
  mkdirSync(join(work, 'page'))
  await build({
    root: join(root, 'examples/browser'),
    logLevel: 'error',
    build: { outDir: join(work, 'page'), emptyOutDir: true },
  })
  const server = await serveFolder(join(work, 'page'))
  console.log(
    '| method | page, seconds | mergekit-yaml, seconds | page to command, pair by pair | peak of the page, MB | empty page, MB |\n|---|---|---|---|---|---|',
  )
  for (const [name, recipe] of Object.entries(recipes)) {
    if (only.length > 0 && !only.includes(name)) continue
    const runs = []
    for (let pair = 0; pair < Number(pairs); pair++)
      runs.push({ command: byCommand(recipe), ...(await inPage(`${server.url}/index.html`, recipe)) })
    const of = (key) => median(runs.map((run) => run[key]))
    const ratio = median(runs.map(({ seconds, command }) => seconds / command))
    console.log(
      `| ${name} | ${of('seconds').toFixed(1)} | ${of('command').toFixed(1)} | ${ratio.toFixed(2)} | ${Math.round(Math.max(...runs.map(({ peak }) => peak)))} | ${Math.round(of('empty'))} |`,
    )
  }
  await server.close()
} finally {
  rmSync(work, { recursive: true, force: true })
}
