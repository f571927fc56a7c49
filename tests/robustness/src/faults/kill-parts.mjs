import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { differences, isSameTree, readTree } from '../folder-tree.mjs'
import { errorLine, faultOfEnd, mergeCommand, planCommand } from '../merge-command.mjs'
import { startCommand } from '../run-command.mjs'
import { writeCheckpoint } from '../write-checkpoint.mjs'

const signals = ['SIGKILL', 'SIGKILL', 'SIGINT', 'SIGTERM']
const partCount = 4
const scenario = 'kill and resume, parts'
const recipeText =
  'merge_method: ties\nbase_model: a\nmodels:\n' +
  ['b', 'c'].map((name) => `  - model: ${name}\n    parameters: {weight: 0.5, density: 0.5}\n`).join('')
const options = ['--out-shard-size', '5MB']

/**
 * Makes the parts of a merge in any order, one or two at a time, also the same twice, and kills them and the end of the merge at random
 * moments, until all is done: the same bytes as of one run, and no OUT before.
 * @param {import('./context.mjs').FaultContext} context
 */
export async function killParts({ report, work, random, kills, megabytes }) {
  const folder = join(work, 'kill-parts')
  for (const [index, name] of ['a', 'b', 'c'].entries())
    writeCheckpoint(join(folder, name), { megabytes, seed: index + 1 })
  const recipe = join(folder, 'recipe.yml')
  writeFileSync(recipe, recipeText)
  const run = (args) => startCommand(args, { cwd: folder })
  const whole = join(folder, 'whole', 'out')
  mkdirSync(join(folder, 'whole'))
  const startedAt = performance.now()
  await expectDone(run(mergeCommand(recipe, whole, options)))
  const wholeMs = performance.now() - startedAt
  const reference = readTree(whole)
  const place = join(folder, 'place')
  const out = join(place, 'out')
  const plan = join(folder, 'plan.json')
  await expectDone(run(mergeCommand(recipe, out, [...options, '--plan-out', plan])))
  const partOf = (part) =>
    run(planCommand(plan, out, ['--part', `${part}/${partCount}`, '-j', random.pick(['1', '2', '5'])]))

  let killed = 0
  /** @returns whether it came to its end */
  const attempt = async (command) => {
    const signal = random.pick(signals)
    const isDone = await Promise.race([
      command.ended.then(() => true),
      sleep(random.fraction() * wholeMs * 1.1).then(() => false),
    ])
    if (!isDone) {
      command.kill(signal)
      killed++
      report.checked(scenario)
    }
    const ended = await command.ended
    const wasKilled = !isDone && (signal === 'SIGKILL' || ended.signal === signal)
    const fault = wasKilled ? undefined : faultOfEnd(ended)
    if (fault !== undefined) report.finding(scenario, `${signal}: ${fault}`, errorLine(ended))
    if (isDone && ended.status !== 0)
      report.finding(scenario, `it ends with ${ended.status} without being killed`, errorLine(ended))
    return ended.status === 0
  }

  for (let round = 0; killed < kills; round++) {
    rmSync(place, { recursive: true, force: true })
    mkdirSync(place)
    const pending = new Set(Array.from({ length: partCount }, (_, index) => index + 1))
    while (pending.size > 0) {
      const part = random.pick([...pending])
      const other = random.chance(0.3) ? part : random.pick([...pending])
      const attempts = (random.chance(0.5) ? [part, other] : [part]).map(async (each) => {
        if (await attempt(partOf(each))) pending.delete(each)
      })
      await Promise.all(attempts)
      if (existsSync(out)) report.finding(scenario, 'OUT is there before the end', `round ${round}`)
    }
    while (!(await attempt(run(planCommand(plan, out, ['--finish'])))));
    const tree = readTree(out)
    if (tree === undefined || !isSameTree(tree, reference))
      report.finding(scenario, 'OUT has other bytes', tree === undefined ? 'none' : differences(tree, reference))
    const beside = readdirSync(place).filter((name) => name !== 'out')
    if (beside.length > 0) report.finding(scenario, 'something is left beside OUT', `${beside}`)
  }
  report.endScenario(scenario)
  rmSync(folder, { recursive: true })
}

async function expectDone(command) {
  const { status, stderr } = await command.ended
  if (status !== 0) throw new Error(`an undisturbed command ends with ${status}: ${stderr}`)
}
