// How planning and merging grow with a model, ×1, ×4, ×16, and up to how many cores one coordinator keeps workers busy: linear merges of two
// models of tensors of 8 MB and of 1 KB, plans of merges that no disk here would hold, and of large vocabularies. Prints tables; seconds are of the processor unless they say otherwise.
// Usage: node bench/scale.mjs [--threads 2] [--models FOLDER] [--out FOLDER] [--only large,small,coordinator,plans,vocabularies]
import { closeSync, existsSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { layoutFile } from '@mk/safetensors'
import { parseFlags } from './parse-flags.mjs'
import { here, timed, warmUp } from './processes.mjs'
import { makeSparseModel } from './sparse-models.mjs'
import { makeVocabularyModel } from './vocabulary-models.mjs'

const { flags } = parseFlags(['threads', 'models', 'out'], { only: 'large,small,coordinator,plans,vocabularies' })
const cli = here('../bin/mergekit-yaml.cjs')
const recipe = join(flags.out, 'scale.yml')
mkdirSync(flags.models, { recursive: true })
mkdirSync(flags.out, { recursive: true })

const seconds = (value) => value.toFixed(2)
const megabytes = (bytes) => Math.round(bytes / 1e6)
const micro = (value) => Math.round(value * 1e6)

const kinds = {
  large: { title: '8 MB', shape: [2048, 2048], counts: [16, 64, 256] },
  small: { title: '1 KB', shape: [16, 32], counts: [6250, 25000, 100000] },
}
const shown = flags.only.split(',')
for (const kind of ['large', 'small']) if (shown.includes(kind)) await showGrowth(kinds[kind])
if (shown.includes('coordinator')) await showCoordinator()
if (shown.includes('plans')) await showPlans()
if (shown.includes('vocabularies')) await showVocabularies()
rmSync(flags.out, { recursive: true })

async function showGrowth({ title, shape, counts }) {
  console.log(
    `| tensors of ${title} | planning: s | MB | merging, with planning: s | MB | of its main thread: s | by the clock: s |`,
  )
  console.log('|---|---|---|---|---|---|---|')
  const rows = []
  for (const count of counts) {
    const inputs = [0, 1].map((index) => makeTensors(shape, count, index))
    warmUp(inputs)
    writeRecipe('linear', inputs)
    const planned = await timed([cli, recipe, join(flags.out, 'none'), '--dry-run', '--quiet'])
    const out = join(flags.out, 'merged')
    const merged = await timed([cli, recipe, out, '--threads', flags.threads, '--no-checksums', '--quiet'])
    rmSync(out, { recursive: true })
    rows.push({ count, planned, merged })
    console.log(
      `| ${count} | ${seconds(planned.cpuSeconds)} | ${megabytes(planned.peakBytes)} | ${seconds(merged.cpuSeconds)} | ${megabytes(merged.peakBytes)} | ${seconds(merged.mainSeconds)} | ${seconds(merged.seconds)} |`,
    )
  }
  console.log(`\n${describeCoordinator(title, rows[1], rows[2])}\n`)
}

function planCells({ cpuSeconds, seconds: elapsed, peakBytes }) {
  return `${seconds(cpuSeconds)} | ${seconds(elapsed)} | ${megabytes(peakBytes)}`
}

/** What each further tensor takes, so that starting, loading and compiling don't count. */
function describeCoordinator(title, least, most) {
  const perTensor = (of) => (of(most) - of(least)) / (most.count - least.count)
  const planning = perTensor(({ merged }) => merged.plannedSeconds)
  const main = perTensor(({ merged }) => merged.mainSeconds)
  const others = perTensor(({ merged }) => merged.cpuSeconds) - main
  const limit =
    others > main
      ? `from ${Math.floor(others / main)} cores on the main thread is the limit`
      : 'the main thread is the limit'
  return `A tensor of ${title} takes ${micro(main)} µs in the main thread, ${micro(planning)} of them before the first task, and ${micro(others)} µs in the others: ${limit}.`
}

/**
 * The main thread's seconds for many tensors of 8 MB, of which nothing is read or written, so that models may be sparse files: all of the
 * process's main thread counts, from its start to its end, and what comes after its first task for a thread is told apart: each the least
 * of three runs.
 */
async function showCoordinator() {
  console.log('| tensors of 8 MB, nothing read or written | up to the first task: s | from then on: s |')
  console.log('|---|---|---|')
  const out = join(flags.out, 'merged')
  const rows = []
  for (const count of [256, 512, 1024]) {
    writeRecipe(
      'linear',
      [0, 1].map((index) => makeHoles([2048, 2048], count, index)),
    )
    const command = [cli, recipe, out, '--threads', flags.threads, '--no-checksums', '--quiet']
    const runs = []
    for (let run = 0; run < 3; run++) {
      runs.push(await timed(['--require', here('without-io.cjs'), ...command]))
      rmSync(out, { recursive: true })
    }
    const before = Math.min(...runs.map(({ plannedSeconds }) => plannedSeconds))
    const after = Math.min(...runs.map(({ mainSeconds, plannedSeconds }) => mainSeconds - plannedSeconds))
    rows.push({ count, before, after })
    console.log(`| ${count} | ${seconds(before)} | ${seconds(after)} |`)
  }
  const [least, , most] = rows
  const per = (figure) => micro((most[figure] - least[figure]) / (most.count - least.count))
  console.log(
    `\nEach further one takes ${per('before')} µs before the first task and ${per('after')} µs from then on.\n`,
  )
}

async function showPlans() {
  console.log('| planned | s | by the clock: s | MB |')
  console.log('|---|---|---|---|')
  for (const name of ['llama-405b', 'deepseek-v3'])
    for (const method of ['linear', 'ties']) {
      writeRecipe(
        method,
        [0, 1, 2].map((index) => makeSparseModel(flags.models, name, index)),
      )
      const planned = await timed([cli, recipe, join(flags.out, 'none'), '--dry-run', '--quiet'])
      console.log(`| ${name}, ${method}, three models | ${planCells(planned)} |`)
    }
}

/** Three models of 256,000 tokens: with added tokens of their own, and with a fifth of the vocabulary of their own. */
async function showVocabularies() {
  console.log('| planned | s | by the clock: s | MB |')
  console.log('|---|---|---|---|')
  const kinds = { 'one vocabulary, added tokens of their own': 256_000, 'a fifth of each vocabulary its own': 204_800 }
  for (const [title, shared] of Object.entries(kinds)) {
    const models = [0, 1, 2].map((own) =>
      makeVocabularyModel(flags.models, `vocabulary-${shared}-${own}`, {
        tokens: 256_000,
        shared,
        added: 50 * own,
        own,
      }),
    )
    for (const source of ['union', 'base']) {
      writeRecipe('linear', models, { base_model: models[0], tokenizer: { source } })
      const planned = await timed([cli, recipe, join(flags.out, 'none'), '--dry-run', '--quiet'])
      console.log(`| ${title}, ${source} | ${planCells(planned)} |`)
    }
  }
}

function writeRecipe(method, [base, ...others], settings = {}) {
  const models = method === 'linear' ? [base, ...others] : others
  const parameters = method === 'linear' ? { weight: 1 } : { weight: 0.5, density: 0.5 }
  const all = { merge_method: method, models: models.map((model) => ({ model, parameters })), dtype: 'bfloat16' }
  writeFileSync(recipe, JSON.stringify({ ...(method === 'linear' ? all : { ...all, base_model: base }), ...settings }))
}

/** Makes the header of a file of so many bf16 tensors, 100 of which are a layer. */
function layOut(shape, count) {
  const tensors = Array.from({ length: count }, (_, i) => ({
    name: `layers.${Math.floor(i / 100)}.part${i % 100}.weight`,
    dtype: 'BF16',
    shape,
  }))
  return layoutFile(tensors, { format: 'pt' })
}

/** Writes a file of so many bf16 tensors of which none has any bytes, unless it is there. */
function makeHoles(shape, count, index) {
  const file = join(flags.models, `holes-${shape.join('x')}-${count}-${index}.safetensors`)
  if (existsSync(file)) return file
  const { header, fileBytes } = layOut(shape, count)
  writeFileSync(file, header)
  truncateSync(file, fileBytes)
  return file
}

/** Writes a file of so many bf16 tensors of a shape unless it is there. */
function makeTensors(shape, count, index) {
  const file = join(flags.models, `tensors-${shape.join('x')}-${count}-${index}.safetensors`)
  if (existsSync(file)) return file
  const { header } = layOut(shape, count)
  const weights = new Uint16Array(shape.reduce((product, size) => product * size, 1))
  let state = index + 1
  const descriptor = openSync(file, 'w')
  writeSync(descriptor, header)
  for (let tensor = 0; tensor < count; tensor++) {
    // Numbers of about 0.01, of both signs: the first ones are new in each tensor.
    for (let i = 0; i < Math.min(512, weights.length); i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      weights[i] = 0x3c00 + (state >>> 24) + ((state & 1) << 15)
    }
    writeSync(descriptor, new Uint8Array(weights.buffer))
  }
  closeSync(descriptor)
  return file
}
