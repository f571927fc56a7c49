// A chain of three merges in one file against the three one after the other, as whole processes: seconds, processor seconds and peak
// memory. Usage: node bench/chain.mjs [--size 1.1B] [--threads 2] [--runs 3] [--models FOLDER] [--out FOLDER]
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseFlags } from './parse-flags.mjs'
import { here, median, shardsOf, timed, warmUp } from './processes.mjs'
import { makeModel } from './synthetic-model.mjs'

const { flags } = parseFlags(['size', 'threads', 'runs', 'models', 'out'])
const [base, a, b] = [0, 1, 2].map((index) => makeModel(flags.models, flags.size, index))
mkdirSync(flags.out, { recursive: true })
warmUp([base, a, b].flatMap(shardsOf))

/** The steps of each chain; `STEP` is the merge of that name. */
const chains = {
  'linear, slerp, linear': {
    first: { merge_method: 'linear', models: weighted([a, b], { weight: 0.5 }), dtype: 'bfloat16' },
    second: { merge_method: 'slerp', base_model: base, models: [{ model: 'STEP first' }], parameters: { t: 0.4 } },
    last: { merge_method: 'linear', models: weighted(['STEP second', b], { weight: 0.5 }), dtype: 'bfloat16' },
  },
  'linear, slerp and task_arithmetic of it, linear': {
    root: { merge_method: 'linear', models: weighted([a, b], { weight: 0.5 }), dtype: 'bfloat16' },
    left: { merge_method: 'slerp', base_model: base, models: [{ model: 'STEP root' }], parameters: { t: 0.4 } },
    right: { merge_method: 'task_arithmetic', base_model: base, models: weighted(['STEP root'], { weight: 0.5 }) },
    last: { merge_method: 'linear', models: weighted(['STEP left', 'STEP right'], { weight: 0.5 }), dtype: 'bfloat16' },
  },
}

console.log(`${flags.size} bf16, ${flags.threads} threads, page cache warm, medians of ${flags.runs}`)
console.log('| chain | seconds at once | step by step | processor seconds at once | step by step | peak memory, MB |')
console.log('|---|---|---|---|---|---|')
for (const [name, steps] of Object.entries(chains)) {
  const runs = []
  for (let run = 0; run < Number(flags.runs); run++)
    runs.push({ once: await atOnce(steps), each: await stepByStep(steps) })
  const figure = (of) => median(runs.map(of)).toFixed(2)
  const peak = Math.max(...runs.map(({ once }) => once.peakBytes))
  console.log(
    `| ${name} | ${figure(({ once }) => once.seconds)} | ${figure(({ each }) => each.seconds)} | ${figure(({ once }) => once.cpuSeconds)} | ${figure(({ each }) => each.cpuSeconds)} | ${Math.round(peak / 1e6)} |`,
  )
}
rmSync(flags.out, { recursive: true })

async function atOnce(steps) {
  const names = Object.keys(steps)
  const recipes = names.map((name, index) => ({
    ...(index < names.length - 1 && { name }),
    ...withPlaces(steps[name], (step) => step),
  }))
  const config = join(flags.out, 'chain.yml')
  writeFileSync(config, recipes.map((recipe) => JSON.stringify(recipe)).join('\n---\n'))
  return merge(config, join(flags.out, 'merged'))
}

async function stepByStep(steps) {
  const total = { seconds: 0, cpuSeconds: 0 }
  for (const [name, recipe] of Object.entries(steps)) {
    const config = join(flags.out, `${name}.yml`)
    writeFileSync(config, JSON.stringify(withPlaces(recipe, (step) => join(flags.out, step))))
    const { seconds, cpuSeconds } = await merge(config, join(flags.out, name))
    total.seconds += seconds
    total.cpuSeconds += cpuSeconds
  }
  for (const name of Object.keys(steps)) rmSync(join(flags.out, name), { recursive: true, force: true })
  return total
}

function merge(config, out) {
  const args = [config, out, '--threads', flags.threads, '--overwrite', '--quiet']
  return timed([here('../bin/mergekit-yaml.cjs'), ...args])
}

function weighted(models, parameters) {
  return models.map((model) => ({ model, parameters }))
}

/** Says where the steps are that a recipe names. */
function withPlaces(recipe, placeOf) {
  return JSON.parse(JSON.stringify(recipe), (_, value) =>
    typeof value === 'string' && value.startsWith('STEP ') ? placeOf(value.slice('STEP '.length)) : value,
  )
}
