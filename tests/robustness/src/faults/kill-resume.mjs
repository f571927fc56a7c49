import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { differences, isSameTree, readTree } from '../folder-tree.mjs'
import { errorLine, faultOfEnd, mergeCommand } from '../merge-command.mjs'
import { startCommand } from '../run-command.mjs'
import { writeCheckpoint } from '../write-checkpoint.mjs'

const signals = ['SIGKILL', 'SIGINT', 'SIGTERM']
const model = (name, parameters) => `  - model: ${name}\n    parameters: {${parameters}}\n`
const recipes = {
  linear: {
    text: `merge_method: linear\nmodels:\n${['a', 'b', 'c'].map((name) => model(name, 'weight: 0.4')).join('')}`,
    options: [],
  },
  ties: {
    text: `merge_method: ties\nbase_model: a\nmodels:\n${['b', 'c'].map((name) => model(name, 'weight: 0.5, density: 0.5')).join('')}`,
    options: [],
  },
  dare_ties: {
    text: `merge_method: dare_ties\nbase_model: a\nmodels:\n${['b', 'c'].map((name) => model(name, 'weight: 0.5, density: 0.5')).join('')}`,
    options: ['--random-seed', '7'],
  },
  sharded: {
    text: `merge_method: linear\nmodels:\n${['a', 'b'].map((name) => model(name, 'weight: 0.4')).join('')}`,
    options: ['--out-shard-size', '5MB'],
  },
  'many small tensors': {
    text: `merge_method: linear\nmodels:\n${['small-a', 'small-b'].map((name) => model(name, 'weight: 0.4')).join('')}`,
    options: ['--out-shard-size', '500KB'],
  },
  'many small tensors, ties': {
    text: `merge_method: ties\nbase_model: small-a\nmodels:\n${model('small-b', 'weight: 0.5, density: 0.5')}`,
    options: [],
  },
}

/**
 * Kills merges at random moments and starts the same command again until it is done: the same bytes as undisturbed, and never
 * an OUT that is not whole.
 * @param {import('./context.mjs').FaultContext} context
 */
export async function killResume({ report, work, random, kills, megabytes }) {
  const folder = join(work, 'kill-resume')
  for (const [index, name] of ['a', 'b', 'c'].entries())
    writeCheckpoint(join(folder, name), { megabytes, seed: index + 1 })
  for (const [index, name] of ['small-a', 'small-b'].entries())
    writeCheckpoint(join(folder, name), { megabytes: 2, seed: index + 1, layerCount: 1000 })
  for (const [name, { text, options }] of Object.entries(recipes)) {
    const scenario = `kill and resume, ${name}`
    const recipe = join(folder, `${name}.yml`)
    writeFileSync(recipe, text)
    await killMany({ report, scenario, random, kills, place: join(folder, 'place'), recipe, options })
    report.endScenario(scenario)
  }
  rmSync(folder, { recursive: true })
}

async function killMany({ report, scenario, random, kills, place, recipe, options }) {
  const out = join(place, 'out')
  const start = () =>
    startCommand(mergeCommand(recipe, out, [...options, '-j', random.pick(['1', '2', '5'])]), { cwd: place })
  const clear = () => {
    rmSync(place, { recursive: true, force: true })
    mkdirSync(place)
  }
  clear()
  const startedAt = performance.now()
  const undisturbed = await start().ended
  const wholeMs = performance.now() - startedAt
  if (undisturbed.status !== 0)
    throw new Error(`an undisturbed merge ends with ${undisturbed.status}: ${undisturbed.stderr}`)
  const reference = readTree(out)
  clear()

  /** @returns whether OUT was there */
  const judge = (ended, signal) => {
    const tree = readTree(out)
    const beside = readdirSync(place).filter((name) => name !== 'out')
    const after = `after ${signal ?? 'nothing'}: ${errorLine(ended)}`
    if (tree !== undefined) {
      if (!isSameTree(tree, reference))
        report.finding(scenario, 'OUT has other bytes', `${after} ${differences(tree, reference)}`)
      if (ended.status === 0 && beside.length > 0)
        report.finding(scenario, 'something is left beside OUT', `${after} ${beside}`)
      return true
    }
    if (signal === undefined) {
      report.finding(scenario, `the merge ends with ${ended.status ?? ended.signal} without being killed`, after)
      return true
    }
    const fault = signal === 'SIGKILL' || ended.signal === signal ? undefined : faultOfEnd(ended)
    if (fault !== undefined) report.finding(scenario, `${signal}: ${fault}`, after)
    return false
  }

  for (let kill = 0; kill < kills;) {
    const merge = start()
    const signal = random.pick(signals)
    const isDone = await Promise.race([
      merge.ended.then(() => true),
      sleep(random.fraction() * wholeMs * 1.1).then(() => false),
    ])
    if (!isDone) {
      merge.kill(signal)
      kill++
      report.checked(scenario)
    }
    if (judge(await merge.ended, isDone ? undefined : signal)) clear()
  }
  // What the last kill has left is finished, too.
  judge(await start().ended, undefined)
}
