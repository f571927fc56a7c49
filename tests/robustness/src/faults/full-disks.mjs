import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSameTree } from '../folder-tree.mjs'
import { judgeEnd, judgeRerun } from './judge.mjs'
import { waitForStop } from './process-state.mjs'
import { spread } from './sample.mjs'
import { mount, openWorkplace, whyNoMount } from './workplace.mjs'

/**
 * Disks too small from the start, disks that another program fills while merging, and outputs that turn read-only; once there
 * is room again, the same command comes to its end.
 * @param {import('./context.mjs').FaultContext} context
 */
export async function fullDisks({ report, shim, work, isQuick }) {
  const why = whyNoMount(work) ?? shim.missing
  if (why === undefined) await onSmallDisks({ report, library: shim.library, work, isQuick })
  else report.skipped('full disks', why)
  if (shim.missing === undefined) await readOnly({ report, library: shim.library, work, isQuick })
}

async function onSmallDisks({ report, library, work, isQuick }) {
  const place = await openWorkplace({ folder: join(work, 'full'), library, beginning: 'fresh' })
  const disk = (size) => {
    unmount()
    mkdirSync(place.place, { recursive: true })
    mount(place.place, size)
  }
  const unmount = () => spawnSync('umount', [place.place])

  const small = 'a disk too small from the start'
  for (const size of isQuick ? ['64k'] : ['4k', '32k', '64k', '96k', '128k', '160k', '176k']) {
    disk(size)
    report.checked(small)
    const finding = await judgeEnd(place, await place.run())
    if (finding !== undefined) report.finding(small, finding.what, `${size}: ${finding.detail}`)
  }
  report.endScenario(small)
  unmount()

  const filling = 'a disk that fills while merging'
  const count = (await place.logOperations()).filter(({ operation }) => ['write', 'create'].includes(operation)).length
  for (const nth of spread(count, isQuick ? 4 : 30)) {
    for (const operation of ['write', 'create']) {
      disk('1m')
      report.checked(filling)
      const merge = place.start({ fault: `${operation}:${nth}:stop`, path: `${place.place}/` })
      if (!(await waitForStop(merge))) continue
      const filler = join(place.place, 'filler')
      fill(filler)
      merge.kill('SIGCONT')
      const ended = await merge.ended
      rmSync(filler)
      const finding = (await judgeEnd(place, ended)) ?? (await judgeAfterwards(place))
      if (finding !== undefined) report.finding(filling, finding.what, `at ${operation} ${nth}: ${finding.detail}`)
    }
  }
  report.endScenario(filling)
  unmount()
  place.close()
}

/** Once there is room, the same command comes to its end, where it has not been repeated already. */
const judgeAfterwards = (place) => (isSameTree(place.outTree(), place.reference) ? undefined : judgeRerun(place))

function fill(file) {
  writeFileSync(file, '')
  for (const bytes of [65536, 4096, 1]) {
    try {
      for (;;) appendFileSync(file, Buffer.alloc(bytes))
    } catch {
      // There is no room for so much; less may still fit.
    }
  }
}

async function readOnly({ report, library, work, isQuick }) {
  const place = await openWorkplace({ folder: join(work, 'read-only'), library, beginning: 'fresh' })
  const changes = (await place.logOperations()).filter(({ operation }) => !['read', 'open'].includes(operation)).length
  const scenario = 'an output that turns read-only while merging'
  for (const nth of spread(changes, isQuick ? 5 : 40)) {
    place.reset()
    report.checked(scenario)
    const ended = await place.run({ fault: `change:${nth}+:EROFS` })
    // It could not even delete: what it leaves is for the next run.
    const finding = (await judgeEnd(place, ended)) ?? (await judgeAfterwards(place))
    if (finding !== undefined)
      report.finding(scenario, finding.what, `from change ${nth} of ${changes}: ${finding.detail}`)
  }
  report.endScenario(scenario)
  place.close()
}
