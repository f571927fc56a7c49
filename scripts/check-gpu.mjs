// Runs conformance, goldens and a benchmark on whatever GPU is here, and prints a table for a README.
// Usage: npm run check:gpu -- [--size 294M] [--runs 3] [--device cuda,gpu]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bootstrap, root, run } from './bootstrap.mjs'

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: '294M' },
    runs: { type: 'string', default: '3' },
    device: { type: 'string', default: 'cuda,gpu' },
  },
})
const merges = ['linear', 'slerp', 'ties']

bootstrap()
const { checkRuntime, findRuntime } = await import('../apps/cli/dist/runtimes/find-runtime.js')
const devices = []
for (const name of flags.device.split(',')) {
  try {
    const { options } = await checkRuntime(name, findRuntime(name))
    devices.push({ name, mode: options?.mode })
  } catch (error) {
    console.error(error.message)
  }
}
if (devices.length === 0) {
  console.error('error: there is no GPU to check here; npm run cuda and npm run gpu say what is missing')
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), 'mk-check-gpu-'))
try {
  console.log(`\n${describeMachine()}, ${flags.size} bf16, median of ${flags.runs} pairs\n`)
  console.log(`| device | conformance | goldens | ${merges.map((name) => `${name}, seconds`).join(' | ')} |`)
  console.log(`|---|---|---|${merges.map(() => '---').join('|')}|`)
  const rows = devices.map((device) =>
    print({
      device: device.mode === undefined || device.name.includes(':') ? device.name : `${device.name} (${device.mode})`,
      conformance: test(conformanceOf(device), device),
      goldens: test(['--project', 'cli', 'src/device-goldens.test.ts', '-t', device.name], device),
      ...bench(device.name),
    }),
  )
  print({ device: 'wasm', conformance: '–', goldens: '–', ...bench('wasm') })
  const isFine = ({ conformance, goldens, ...seconds }) =>
    isPassed(conformance) && isPassed(goldens) && !Object.values(seconds).includes('failed')
  process.exitCode = rows.every(isFine) ? 0 : 1
} finally {
  rmSync(folder, { recursive: true })
}

/** Prints a row as soon as it is known: it may be the last. */
function print(row) {
  console.log(`| ${[row.device, row.conformance, row.goldens, ...merges.map((name) => row[name])].join(' | ')} |`)
  return row
}

/** The suite of the package that has the device, on that device alone. */
function conformanceOf({ name }) {
  const project = name === 'gpu' || name.startsWith('gpu:') ? 'runtime-gpu' : 'runtime-cuda'
  return ['--project', project, 'src/conformance.test.ts', ...(name === 'cuda' ? ['-t', 'on CUDA'] : [])]
}

/** @returns how many tests passed, and of how many that ran */
function test(args, { name, mode }) {
  console.error(`${name}: ${args[2]}`)
  const reportFile = join(folder, 'report.json')
  run(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=json',
      `--outputFile.json=${reportFile}`,
      ...args,
    ],
    {
      env: { ...process.env, ...(mode !== undefined && { GPU_MODES: mode }) },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(reportFile, 'utf8'))
    rmSync(reportFile)
    return `${numPassedTests} of ${numPassedTests + numFailedTests}`
  } catch {
    return '0 of 0'
  }
}

function isPassed(counts) {
  const [passed, all] = counts.split(' of ').map(Number)
  return passed > 0 && passed === all
}

/** @returns seconds by merge, each by a benchmark of its own: where one fails, the others are still told */
function bench(device) {
  return Object.fromEntries(merges.map((merge) => [merge, secondsOf(merge, device)]))
}

/** @returns seconds as the benchmark prints them */
function secondsOf(merge, device) {
  console.error(`${device}: ${merge}`)
  const args = [
    join(root, 'apps/cli/bench/main.mjs'),
    '--device',
    device,
    '--size',
    flags.size,
    '--runs',
    flags.runs,
    merge,
  ]
  const { stdout } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const rows = stdout.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  const [, , , , seconds = 'failed'] = rows.find(([, name]) => name === merge) ?? []
  return seconds
}

function describeMachine() {
  const args = ['--query-gpu=name,driver_version', '--format=csv,noheader']
  const { status, stdout } = spawnSync('nvidia-smi', args, { encoding: 'utf8' })
  const gpu = status === 0 ? stdout.trim().split('\n')[0] : 'a GPU'
  return `${gpu}, Node ${process.versions.node}`
}
