// How merges of models that no disk here would hold divide into parts, and what the one who starts and finishes them has to do:
// node programs/scaling.mjs prints the table of docs/queues.md, with --write it puts it there. Weights are holes, and are never read.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { planCost } from '@mk/merge'
import { finishMerge, listParts, readPlanFile } from '@mk/merge/parts'
import { readStatus, startWorker, submitMerge } from '@mk/queue'
import { here, timed } from '../../../apps/cli/bench/processes.mjs'
import { makeSparseModel } from '../../../apps/cli/bench/sparse-models.mjs'
import { findOutputPlace } from '../../../packages/merge/dist/output/output-place.js'
import { openPartFolder } from '../../../packages/merge/dist/parts/part-folder.js'
import { until } from '../src/checks.mjs'
import { startRedis } from '../src/redis/redis-server.mjs'

const { values: flags } = parseArgs({
  options: { write: { type: 'boolean', default: false }, workers: { type: 'string', default: '1,4,16,64,256' } },
})
const workerCounts = flags.workers.split(',').map(Number)
const command = here('../bin/mergekit-yaml.cjs') // of apps/cli
const folder = mkdtempSync(join(tmpdir(), 'mk-scaling-'))
const merges = [
  { model: 'llama-405b', method: 'linear' },
  { model: 'llama-405b', method: 'ties' },
  { model: 'deepseek-v3', method: 'linear' },
  { model: 'deepseek-v3', method: 'ties' },
]
const titles = { 'llama-405b': 'Llama 3.1 405B', 'deepseek-v3': 'DeepSeek-V3' }
const recipeOf = (method, [base, ...others]) =>
  method === 'linear'
    ? {
        merge_method: method,
        models: [base, ...others].map((model) => ({ model, parameters: { weight: 1 } })),
        dtype: 'bfloat16',
      }
    : {
        merge_method: method,
        base_model: base,
        models: others.map((model) => ({ model, parameters: { weight: 0.5, density: 0.5 } })),
        dtype: 'bfloat16',
      }

const gigabytes = (bytes) => (bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 0)
const megabytes = (bytes) => (bytes / 1e6).toFixed(0)

try {
  const studies = []
  for (const merge of merges) studies.push(await study(merge))
  const text = [...formatBalance(studies), '', ...formatLoad(studies), '', await formatMessages(studies[0])].join('\n')
  console.log(text)
  if (flags.write) writeTable(text)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Plans a merge by the command, and divides the plan. */
async function study({ model, method }) {
  const models = [0, 1, 2].map((index) => makeSparseModel(join(folder, 'models'), model, index))
  const place = join(folder, `${model}-${method}`)
  mkdirSync(place)
  const [recipe, plan, out] = ['recipe.yml', 'plan.json', 'merged'].map((name) => join(place, name))
  writeFileSync(recipe, JSON.stringify(recipeOf(method, models)))
  const planning = await timed([command, recipe, out, '--plan-out', plan, '--quiet'])
  const file = await readPlanFile(plan)
  const whole = await planCost(file.plan, { threads: 1 })
  const divided = []
  for (const count of workerCounts) divided.push({ count, ...balanceOf(await listParts(file, count), whole) })
  return { model, method, plan, file, planning, whole, divided, ...(await timeEnds({ file, plan, out })) }
}

function balanceOf(parts, whole) {
  const ratio = (of) => {
    const values = parts.map(of)
    return Math.max(...values) / (values.reduce((sum, value) => sum + value, 0) / values.length)
  }
  return {
    cost: ratio(({ cost }) => cost),
    bytes: ratio(({ readBytes }) => readBytes),
    twice: parts.reduce((sum, { readBytes }) => sum + readBytes, 0) - whole.readBytes,
    largestBytes: Math.max(...parts.map(({ readBytes }) => readBytes)),
  }
}

/** What a part takes besides its tensors: the least of very many, as a process. And the end, after parts that have written nothing. */
async function timeEnds({ file, plan, out }) {
  const of = 100_000
  const least = (await listParts(file, of)).reduce((one, other) => (other.cost < one.cost ? other : one))
  const starting = await timed([command, '--plan', plan, out, '--part', `${least.part}/${of}`, '--quiet'])
  const place = findOutputPlace(out)
  for (const part of await listParts(file, 256)) {
    const opened = await openPartFolder(place, { part, id: file.id, plan: file.plan, warnings: new Set() })
    for (const index of part.tensors.keys()) await opened.finish(index)
    await opened.complete()
  }
  const before = process.cpuUsage()
  await finishMerge(file, { out, checksums: false })
  const { user, system } = process.cpuUsage(before)
  rmSync(out, { recursive: true })
  return { starting, finishSeconds: (user + system) / 1e6 }
}

/** Counts what a Redis is asked for by a queue whose parts take no time: what is left is the queue's own. */
async function formatMessages({ plan }) {
  const redis = await startRedis(join(folder, 'redis'))
  const place = { redis: redis.url, queue: 'count' }
  const { Redis } = await import('ioredis')
  const asking = new Redis(redis.url)
  const count = async () => Number(/total_commands_processed:(\d+)/.exec(await asking.info('stats'))[1])
  try {
    const parts = 256
    const begin = await count()
    const { id } = await submitMerge({ plan, out: join(folder, 'counted'), parts }, place)
    const submitted = await count()
    const worker = await startWorker({ ...place, work: { async runPart() {}, async finish() {} } })
    const started = await count()
    await until(async () => (await asking.zcard('bull:count:completed')) === parts + 1, { what: 'it is not done' })
    const done = await count()
    await worker.close()
    await readStatus(place, id)
    const perPart = (done - started) / (parts + 1)
    return `Messages to a Redis, with ${parts} parts: ${submitted - begin} to submit them, ${perPart.toFixed(0)} for each part from its start to its end, and 2 a second for each that is at work.`
  } finally {
    asking.disconnect()
    await redis.close()
  }
}

function formatBalance(studies) {
  const rows = studies.flatMap(({ model, method, divided }) =>
    divided.map(
      ({ count, cost, bytes, twice, largestBytes }) =>
        `| ${titles[model]}, ${method} | ${count} | ${cost.toFixed(3)} | ${bytes.toFixed(3)} | ${gigabytes(largestBytes)} | ${twice < 1 ? '0' : gigabytes(twice)} |`,
    ),
  )
  return [
    '| merge | workers | largest part, cost | largest part, bytes | it reads, GB | twice, GB |',
    '|---|---|---|---|---|---|',
    ...rows,
  ]
}

function formatLoad(studies) {
  const rows = studies.map(
    ({ model, method, plan, file, planning, starting, finishSeconds, whole }) =>
      `| ${titles[model]}, ${method} | ${file.plan.tensors.length} | ${gigabytes(whole.readBytes)} | ${(statSync(plan).size / 1e6).toFixed(1)} | ${planning.cpuSeconds.toFixed(1)}, ${megabytes(planning.peakBytes)} | ${starting.cpuSeconds.toFixed(1)}, ${megabytes(starting.peakBytes)} | ${finishSeconds.toFixed(1)} |`,
  )
  return [
    '| merge | tensors | reads, GB | plan, MB | planning: s, MB of memory | beginning a part: s, MB | finishing 256 parts: s |',
    '|---|---|---|---|---|---|---|',
    ...rows,
  ]
}

function writeTable(text) {
  const page = fileURLToPath(new URL('../../../docs/queues.md', import.meta.url))
  const [start, end] = ['<!-- scaling -->', '<!-- /scaling -->']
  const before = readFileSync(page, 'utf8')
  writeFileSync(
    page,
    `${before.slice(0, before.indexOf(start) + start.length)}\n\n${text}\n\n${before.slice(before.indexOf(end))}`,
  )
}
