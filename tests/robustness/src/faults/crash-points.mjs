import { join } from 'node:path'
import { judgeKilled } from './judge.mjs'
import { sampleOperations } from './sample.mjs'
import { beginnings, openWorkplace, whyNoMount } from './workplace.mjs'

/** Operations that change nothing. */
const harmless = new Set(['read', 'open'])

/**
 * Kills a merge before each operation that changes a file, in every beginning; the same command then goes on, or is done.
 * @param {import('./context.mjs').FaultContext} context
 */
export async function crashPoints({ report, shim, work, isQuick }) {
  if (shim.missing !== undefined) return report.skipped('crash points', shim.missing)
  for (const beginning of isQuick ? ['fresh', 'overwrite'] : Object.keys(beginnings)) {
    const scenario = `kill before a change, ${beginning} (${beginnings[beginning]})`
    const why = beginning === 'inside' ? whyNoMount(work) : undefined
    if (why !== undefined) {
      report.skipped(scenario, why)
      continue
    }
    const place = await openWorkplace({ folder: join(work, `crash-${beginning}`), library: shim.library, beginning })
    const changes = (await place.logOperations()).filter(({ operation }) => !harmless.has(operation))
    for (const nth of sampleOperations(changes.length, isQuick ? { step: 20, last: 6 } : { step: 1, last: 0 })) {
      place.reset()
      report.checked(scenario)
      const { status, signal } = await place.run({ fault: `change:${nth}:kill` })
      const { operation, path } = changes[nth - 1]
      const where = `${nth} of ${changes.length}, before ${operation} ${place.shorten(path)}`
      // The number of operations may differ by a few from run to run.
      if (signal !== 'SIGKILL' && status !== 0) report.finding(scenario, `not killed, but status ${status}`, where)
      const finding = await judgeKilled(place)
      if (finding !== undefined) report.finding(scenario, finding.what, `${where}: ${finding.detail}`)
    }
    place.close()
    report.endScenario(scenario)
  }
}
