// Times merges of synthetic models, and commands that look at them, as whole processes, each against a program that only reads the same inputs and writes the
// same number of bytes, pair by pair; prints medians. Where no merge is named, the rates of reading quantized weights follow. Usage: npm run bench -- [--size 1.1B] [--threads 2] [--runs 3] [--out FOLDER]
// [--models FOLDER] [--device wasm,reference] [--all] [--checksums] [--cold] [--cold-out FOLDER] [METHOD…]
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { printDequantization } from '../../../packages/source/bench/dequantize.mjs'
import { parseFlags } from './parse-flags.mjs'
import { bytesOf, comparePairs, fail, here, makeFloor, shardsOf, warmUp } from './processes.mjs'
import { inspections, mainRecipes, recipes } from './recipes.mjs'
import { makeModel } from './synthetic-model.mjs'

const { flags, positionals } = parseFlags(
  ['size', 'threads', 'runs', 'models', 'out'],
  {
    device: 'wasm',
    all: false,
    // The floor computes none either.
    checksums: false,
    // Nothing in the page cache, and the output where --cold-out is, which should be on the disk; where no merge is named, one row is.
    cold: false,
    'cold-out': join(tmpdir(), 'mk-bench-cold-out'),
  },
  { allowPositionals: true },
)
const measured = { ...recipes, ...inspections }
const names = positionals.length > 0 ? positionals : flags.all ? Object.keys(measured) : mainRecipes
for (const name of names)
  if (measured[name] === undefined) fail(`no recipe '${name}'; there are ${Object.keys(measured).join(', ')}`)

const bin = (name) => here(`../bin/${name}.cjs`)
const models = [0, 1, 2].map((index) => makeModel(flags.models, flags.size, index))
const { num_hidden_layers: layers } = JSON.parse(readFileSync(join(models[0], 'config.json'), 'utf8'))
const folders = [flags.out, flags['cold-out']]
for (const folder of folders) mkdirSync(folder, { recursive: true })
warmUp(models.flatMap(shardsOf))

const floor = makeFloor()
console.log(
  `${flags.size} bf16, ${flags.threads} threads, page cache ${flags.cold ? 'cold' : 'warm'}, median of ${flags.runs} pairs; × floor = time of the merge, or of the command that looks at models, ÷ time of a program in ${floor.language} that only reads and writes the same; user and system: seconds of the processor; first byte: seconds from its start until it reads weights`,
)
console.log(
  '| merge | device | × floor | seconds | first byte | user | system | floor: seconds | user | system | GB/s | peak memory, MB |',
)
console.log('|---|---|---|---|---|---|---|---|---|---|---|---|')
for (const name of names) {
  const devices = inspections[name] === undefined ? flags.device.split(',') : ['wasm']
  for (const device of devices) await measure(name, device, flags.cold)
}
if (positionals.length === 0 && !flags.cold) await measure('linear', 'wasm', true)
floor.close()
for (const folder of folders) rmSync(folder, { recursive: true })
if (positionals.length === 0) {
  console.log()
  printDequantization()
}

async function measure(name, device, cold) {
  const { recipe = recipes.task_arithmetic.recipe, reads } = measured[name]
  const folder = cold ? flags['cold-out'] : flags.out
  const config = join(folder, 'recipe.yml')
  writeFileSync(config, JSON.stringify(recipe(models, { layers })))
  const inputs = reads.flatMap((index) => shardsOf(models[index]))
  const { ratio, peakBytes, outBytes, firstByteSeconds, ...merged } = await comparePairs({
    floor,
    merge: (out) => [...commandOf(name, { config, out, device }), '--threads', flags.threads, '--quiet'],
    inputs,
    out: folder,
    cold,
    threads: flags.threads,
    runs: Number(flags.runs),
  })
  const rate = (bytesOf(inputs) + outBytes) / merged.seconds / 1e9
  const { seconds, userSeconds, systemSeconds } = merged
  const figures = [ratio, seconds, firstByteSeconds, userSeconds, systemSeconds, ...secondsOf(merged.floor)].map(
    (figure) => figure.toFixed(2),
  )
  console.log(
    `| ${[cold ? `${name}, cold` : name, device, ...figures, rate.toFixed(1), Math.round(peakBytes / 1e6)].join(' | ')} |`,
  )
}

function commandOf(name, { config, out, device }) {
  const inspection = inspections[name]
  if (inspection !== undefined) return [bin(inspection.bin), ...inspection.args(models, config)]
  const checksums = flags.checksums ? [] : ['--no-checksums']
  return [bin('mergekit-yaml'), config, out, '--device', device, '--overwrite', ...checksums]
}

function secondsOf({ seconds, userSeconds, systemSeconds }) {
  return [seconds, userSeconds, systemSeconds]
}
