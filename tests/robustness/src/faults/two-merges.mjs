import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { differences, isSameTree } from '../folder-tree.mjs'
import { errorLine, faultOfEnd, looksFinished } from '../merge-command.mjs'
import { waitForStop } from './process-state.mjs'
import { spread } from './sample.mjs'
import { openWorkplace } from './workplace.mjs'

/** Makes a merge of a few hundred milliseconds last for seconds, so that another finds it at work. */
const slowly = 'change:*:wait20'

/**
 * Two merges into one OUT: one of them does it, the other says that it is busy, or that it is there.
 * @param {import('./context.mjs').FaultContext} context
 */
export async function twoMerges({ report, shim, work, random, isQuick }) {
  if (shim.missing !== undefined) return report.skipped('two merges', shim.missing)
  const place = await openWorkplace({ folder: join(work, 'two'), library: shim.library, beginning: 'fresh' })
  await paused({ report, place, most: isQuick ? 8 : 200 })
  await together({ report, place, random, rounds: isQuick ? 4 : 30, name: 'two merges at once', before: [] })
  const name = 'two merges at once, in two PID namespaces'
  const before = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child']
  const why = whyNoNamespaces(before)
  if (why === undefined) await together({ report, place, random, rounds: isQuick ? 4 : 30, name, before })
  else report.skipped(name, why)
  place.close()
}

function whyNoNamespaces(before) {
  if (process.getuid?.() !== 0) return 'only root can make them'
  return spawnSync(before[0], [...before.slice(1), 'true']).status === 0
    ? undefined
    : 'this machine lets nobody make them'
}

/** Stops one merge before each of its changes, lets another run to its end, and lets the first go on. */
async function paused({ report, place, most }) {
  const scenario = 'a merge that was stopped while another one ran'
  const changes = (await place.logOperations()).filter(({ operation }) => !['read', 'open'].includes(operation))
  for (const nth of spread(changes.length, most)) {
    place.reset()
    report.checked(scenario)
    const { operation, path } = changes[nth - 1]
    const where = `stopped at ${nth} of ${changes.length}, before ${operation} ${place.shorten(path)}`
    const first = place.start({ fault: `change:${nth}:stop` })
    const hasStopped = await waitForStop(first)
    const second = place.start({ fault: slowly })
    // The first goes on when the second has begun to write: it is not alone.
    if (nth % 2 === 0) await sleep(700)
    else await second.ended
    if (hasStopped) first.kill('SIGCONT')
    const ends = [await first.ended, await second.ended]
    const finding = judge(place, ends)
    if (finding !== undefined) report.finding(scenario, finding.what, `${where}: ${finding.detail}`)
  }
  report.endScenario(scenario)
}

async function together({ report, place, random, rounds, name, before }) {
  for (let round = 0; round < rounds; round++) {
    place.reset()
    report.checked(name)
    const delayMs = random.pick([0, 0, 20, 100, 300, 600, 900])
    const first = place.start({ fault: slowly, before })
    await sleep(delayMs)
    const second = place.start({ fault: slowly, before })
    let wasUnfinished = false
    while (first.isRunning() || second.isRunning()) {
      if (looksFinished(place.out) && !isSameTree(place.outTree(), place.reference) && looksFinished(place.out))
        wasUnfinished = true
      await sleep(30)
    }
    const ends = [await first.ended, await second.ended]
    const finding = judge(place, ends)
    if (finding !== undefined) report.finding(name, finding.what, `the second ${delayMs} ms later: ${finding.detail}`)
    else if (wasUnfinished)
      report.finding(name, 'OUT looked finished while it was not', `the second ${delayMs} ms later`)
  }
  report.endScenario(name)
}

function judge(place, ends) {
  const detail = place.shorten(ends.map((ended) => `${ended.status ?? ended.signal} ${errorLine(ended)}`).join(' | '))
  const fault = ends.map(faultOfEnd).find((found) => found !== undefined)
  if (fault !== undefined) return { what: fault, detail }
  const tree = place.outTree()
  if (ends.every(({ status }) => status !== 0)) return { what: 'neither comes to its end', detail }
  if (!isSameTree(tree, place.reference))
    return { what: 'status 0, but OUT is wrong', detail: `${differences(tree, place.reference).join(', ')}; ${detail}` }
  const beside = place.strangers()
  return beside.length === 0
    ? undefined
    : { what: 'something is left beside OUT', detail: `${beside.join(', ')}; ${detail}` }
}
