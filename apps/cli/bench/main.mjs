// Times merges of synthetic models as whole processes, each against a program that only reads the same inputs and writes the
// same number of bytes, pair by pair; prints medians. Usage: npm run bench -- [--size 1.1B] [--threads 2] [--runs 3] [--out FOLDER]
// [--models FOLDER] [--device wasm,reference] [--all] [METHOD…]
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { mainRecipes, recipes } from './recipes.mjs'
import { makeModel, sizeNames } from './synthetic-model.mjs'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '1.1B' },
    threads: { type: 'string', default: '2' },
    runs: { type: 'string', default: '3' },
    models: { type: 'string', default: join(tmpdir(), 'mk-bench-models') },
    out: { type: 'string', default: join(tmpdir(), 'mk-bench-out') },
    device: { type: 'string', default: 'wasm' },
    all: { type: 'boolean', default: false },
  },
})
const names = positionals.length > 0 ? positionals : flags.all ? Object.keys(recipes) : mainRecipes
for (const name of names) if (recipes[name] === undefined) fail(`no recipe '${name}'; there are ${Object.keys(recipes).join(', ')}`)
if (!sizeNames.includes(flags.size)) fail(`no size '${flags.size}'; there are ${sizeNames.join(', ')}`)

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const cli = here('../bin/mergekit-yaml.mjs')
const models = [0, 1, 2].map((index) => makeModel(flags.models, flags.size, index))
const { num_hidden_layers: layers } = JSON.parse(readFileSync(join(models[0], 'config.json'), 'utf8'))
mkdirSync(flags.out, { recursive: true })
warmUp(models.flatMap(shardsOf))

console.log(`${flags.size} bf16, ${flags.threads} threads, page cache warm, median of ${flags.runs} pairs; × floor = time of the merge ÷ time of only reading and writing`)
console.log('| merge | device | × floor | seconds | GB/s | peak memory, MB |')
console.log('|---|---|---|---|---|---|')
for (const name of names) for (const device of flags.device.split(',')) await measure(name, device)
rmSync(flags.out, { recursive: true })

async function measure(name, device) {
  const { recipe, reads } = recipes[name]
  const config = join(flags.out, `${name}.yml`)
  writeFileSync(config, JSON.stringify(recipe(models, { layers })))
  const out = join(flags.out, 'merged')
  const inputs = reads.flatMap((index) => shardsOf(models[index]))
  const merge = () => timed([cli, config, out, '--threads', flags.threads, '--device', device, '--overwrite', '--quiet'])
  const first = await merge()
  const outBytes = bytesOf(shardsOf(out))
  const floor = () => timed([here('io-floor.mjs'), join(flags.out, 'floor.bin'), String(outBytes), flags.threads, ...inputs])
  await floor()
  const pairs = []
  for (let run = 0; run < Number(flags.runs); run++) {
    rmSync(out, { recursive: true, force: true })
    const merged = await merge()
    rmSync(out, { recursive: true, force: true })
    pairs.push({ merged, floor: await floor() })
  }
  const seconds = median(pairs.map(({ merged }) => merged.seconds))
  const ratio = median(pairs.map(({ merged, floor: { seconds: bare } }) => merged.seconds / bare))
  const peak = Math.max(first.peakBytes, ...pairs.map(({ merged }) => merged.peakBytes))
  const rate = (bytesOf(inputs) + outBytes) / seconds / 1e9
  console.log(`| ${name} | ${device} | ${ratio.toFixed(2)} | ${seconds.toFixed(2)} | ${rate.toFixed(1)} | ${Math.round(peak / 1e6)} |`)
}

function timed(args) {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const child = spawn(process.execPath, ['--import', here('report-usage.mjs'), ...args], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
    let peak = ''
    child.stdio[3].on('data', (data) => (peak += data))
    child.on('close', (status) => {
      if (status !== 0) fail(`${args.join(' ')}: exit status ${status}`)
      resolve({ seconds: (performance.now() - startedAt) / 1000, peakBytes: Number(peak) })
    })
  })
}

function shardsOf(folder) {
  return readdirSync(folder).filter((name) => name.endsWith('.safetensors')).map((name) => join(folder, name))
}

function bytesOf(files) {
  return files.reduce((sum, file) => sum + statSync(file).size, 0)
}

function warmUp(files) {
  const buffer = Buffer.alloc(1 << 22)
  for (const file of files) {
    const descriptor = openSync(file)
    while (readSync(descriptor, buffer) > 0);
    closeSync(descriptor)
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

function fail(message) {
  console.error(message)
  process.exit(2)
}
