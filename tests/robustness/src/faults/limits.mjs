import { join } from 'node:path'
import { runCommand } from '../run-command.mjs'
import { looksFinished } from '../merge-command.mjs'
import { judgeEnd } from './judge.mjs'
import { openWorkplace } from './workplace.mjs'

const gigabyte = 2 ** 20
/** What the shell's `ulimit` is given: its unit is one file, 1 kB, or 512 bytes. */
const limitsByName = {
  'open files (ulimit -n)': { flag: '-n', values: [32, 40, 48, 56, 64, 80, 96, 128, 192, 256], quick: [64, 128] },
  'address space (ulimit -v)': {
    flag: '-v',
    values: [1, 2, 4, 6, 8, 12, 16, 24].map((n) => n * gigabyte),
    quick: [4 * gigabyte],
  },
  'file size (ulimit -f)': { flag: '-f', values: [1, 8, 64, 128, 256], quick: [64] },
}

/**
 * Limits of the shell: the right bytes, or one error that says which limit it is.
 * @param {import('./context.mjs').FaultContext} context
 */
export async function limits({ report, work, isQuick }) {
  if (process.platform === 'win32') return report.skipped('limits', 'there is no ulimit here')
  const place = await openWorkplace({ folder: join(work, 'limits'), library: undefined, beginning: 'fresh' })
  for (const [scenario, { flag, values, quick }] of Object.entries(limitsByName)) {
    for (const value of isQuick ? quick : values) {
      const before = ['sh', '-c', `ulimit ${flag} ${value} && exec "$@"`, 'sh']
      // Where Node itself does not start there is nothing to be said.
      const start = await runCommand([...before, process.execPath, '-e', '0'])
      if (start.status !== 0) continue
      place.reset()
      report.checked(scenario)
      const ended = await place.run({ before })
      // Where V8 itself gives up for want of addresses, by a trap as it starts a thread, the program is not asked.
      const hasGivenUp = ended.signal === 'SIGABRT' || (ended.signal === 'SIGTRAP' && ended.stderr.includes('OOM'))
      if (flag === '-v' && hasGivenUp && !looksFinished(place.out)) continue
      const finding = await judgeEnd(place, ended)
      if (finding !== undefined) report.finding(scenario, finding.what, `${value}: ${finding.detail}`)
    }
    report.endScenario(scenario)
  }
  place.close()
}
