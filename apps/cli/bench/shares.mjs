// Tells what takes the processor seconds of merges: kernels, the system's calls for files, and V8 (JavaScript, compiling, parsing,
// collecting, with Node around it), which is all else. Needs Linux. Usage: node apps/cli/bench/shares.mjs [--size 1.1B] [--threads 2]
// [--runs 3] [--models FOLDER] [--out FOLDER] [METHOD…]
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseFlags } from './parse-flags.mjs'
import { here, median, shardsOf, warmUp } from './processes.mjs'
import { recipes } from './recipes.mjs'
import { makeModel } from './synthetic-model.mjs'

const { flags, positionals } = parseFlags(['size', 'threads', 'runs', 'models', 'out'], {}, { allowPositionals: true })
const pollMs = 10
/** What threads of the profiler are called: they take a tenth of a second for each second of a profile. */
const profilerName = 'v8:ProfEvntProc'
/** What Node calls the system with, as profiles name it. */
const fileCalls =
  /^(read|readBuffers|readdir|readlink|write(Buffer|Buffers|String)|open(FileHandle)?|close|[fl]?stat|statfs|f?truncate|f(data)?sync|mkdir|rename|rm|rmdir|unlink|link|access|existsSync|realpath)$/

const models = [0, 1, 2].map((index) => makeModel(flags.models, flags.size, index))
const { num_hidden_layers: layers } = JSON.parse(readFileSync(join(models[0], 'config.json'), 'utf8'))
const config = join(flags.out, 'recipe.yml')
const profiles = join(flags.out, 'profiles')
warmUp(models.flatMap(shardsOf))

const columns = ['kernels', 'files', 'javascript', 'collector', 'native', 'otherThreads']
console.log(`${flags.size} bf16, ${flags.threads} threads; processor seconds, medians of ${flags.runs} runs`)
console.log(
  '| merge | seconds | kernels | calls for files | JavaScript | collector | native code of Node and V8 | their other threads | V8 (the last four) |',
)
console.log('|---|---|---|---|---|---|---|---|---|')
for (const name of positionals.length > 0 ? positionals : ['linear', 'ties']) {
  await run(name)
  const runs = []
  for (let count = 0; count < Number(flags.runs); count++) runs.push(await run(name))
  const of = (figure) => median(runs.map(figure)).toFixed(2)
  const share = median(runs.map((each) => 1 - (each.kernels + each.files) / each.all))
  console.log(
    `| ${[name, of(({ all }) => all), ...columns.map((column) => of((each) => each[column])), `${(100 * share).toFixed(0)} %`].join(' | ')} |`,
  )
}
rmSync(flags.out, { recursive: true })

/** Merges with a profile of each thread. @returns processor seconds by what took them */
async function run(name) {
  rmSync(flags.out, { recursive: true, force: true })
  mkdirSync(profiles, { recursive: true })
  writeFileSync(config, JSON.stringify(recipes[name].recipe(models, { layers })))
  const { all, ofThreads } = await merge()
  const seconds = { all, kernels: 0, files: 0, javascript: 0, collector: 0, native: 0, otherThreads: all }
  for (const file of readdirSync(profiles)) {
    const ofThread = ofThreads.get(Number(file.split('.').at(-3))) ?? 0
    const samples = sampledOf(JSON.parse(readFileSync(join(profiles, file), 'utf8')))
    const sampled = Object.values(samples).reduce((sum, some) => sum + some, 0)
    // A sample is of the wall clock: a thread that waits for a core is in the midst of something, too.
    for (const [kind, some] of Object.entries(samples)) seconds[kind] += (ofThread * some) / sampled
    seconds.otherThreads -= ofThread
  }
  return seconds
}

/** Adds up the samples of a thread's profile in which it was not idle, by what it did. */
function sampledOf({ nodes, samples, timeDeltas }) {
  const kinds = new Map(nodes.map(({ id, callFrame }) => [id, kindOf(callFrame)]))
  const sums = { kernels: 0, files: 0, javascript: 0, collector: 0, native: 0 }
  for (const [index, id] of samples.entries()) {
    const kind = kinds.get(id)
    if (kind !== undefined) sums[kind] += timeDeltas[index + 1] ?? 0
  }
  return sums
}

function kindOf({ functionName, url }) {
  if (functionName === '(idle)') return undefined
  if (functionName === '(garbage collector)') return 'collector'
  if (url.startsWith('wasm:')) return 'kernels'
  if (url !== '') return 'javascript'
  return fileCalls.test(functionName) ? 'files' : 'native'
}

/** Merges; meanwhile asks the system over and over what each thread has taken, since of one that has ended it knows nothing. */
function merge() {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env
  const profiling = ['--cpu-prof', '--cpu-prof-dir', profiles, '--require', here('report-threads.cjs')]
  const command = [here('../bin/mergekit-yaml.cjs'), config, join(flags.out, 'merged'), '--threads', flags.threads]
  const args = [...profiling, ...command, '--overwrite', '--no-checksums', '--quiet']
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
    const taken = new Map()
    let told = ''
    child.stdio[3].on('data', (data) => (told += data))
    const polling = setInterval(() => pollThreads(child.pid, taken), pollMs)
    child.on('close', (status) => {
      clearInterval(polling)
      if (status !== 0) return reject(new Error(`exit status ${status}`))
      const threads = [...told.matchAll(/^thread (\d+) (\d+)$/gm)].map(([, id, task]) => [
        Number(id),
        taken.get(task).seconds,
      ])
      const all = Number(/^all (.+)$/m.exec(told)[1]) - sumOf(taken, ({ name }) => name === profilerName)
      resolve({ all, ofThreads: new Map(threads) })
    })
  })
}

function sumOf(taken, isMeant) {
  return [...taken.values()].filter(isMeant).reduce((sum, { seconds }) => sum + seconds, 0)
}

function pollThreads(pid, taken) {
  const tasks = `/proc/${pid}/task`
  try {
    for (const task of readdirSync(tasks)) {
      const name = readFileSync(`${tasks}/${task}/comm`, 'utf8').trim()
      taken.set(task, { name, seconds: Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e9 })
    }
  } catch {
    // It, or a thread of it, has just ended.
  }
}
