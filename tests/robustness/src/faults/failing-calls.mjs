import { basename, dirname, join } from 'node:path'
import { errorLine } from '../merge-command.mjs'
import { judgeEnd } from './judge.mjs'
import { spread } from './sample.mjs'
import { openWorkplace } from './workplace.mjs'

/** What happens to the Nth operation of a kind. */
const actions = {
  read: ['EIO', 'EMFILE', 'short', 'none', 'EINTR'],
  open: ['EACCES', 'EMFILE', 'EIO', 'ENOENT'],
  create: ['ENOSPC', 'EMFILE', 'EACCES'],
  write: ['EIO', 'ENOSPC', 'short', 'none', 'EINTR'],
  rename: ['EIO', 'ENOSPC', 'EACCES'],
  mkdir: ['EIO', 'ENOSPC', 'EACCES'],
  unlink: ['EIO', 'EACCES'],
  rmdir: ['EIO', 'EACCES'],
  truncate: ['EIO', 'ENOSPC'],
  sync: ['EIO', 'ENOSPC'],
  copy: ['EIO', 'ENOSPC', 'short', 'none'],
}

/**
 * Lets each operation of a merge and of a resumed merge fail once, or come short.
 * @param {import('./context.mjs').FaultContext} context
 */
export async function failingCalls({ report, shim, work, isQuick }) {
  if (shim.missing !== undefined) return report.skipped('failing calls', shim.missing)
  for (const beginning of isQuick ? ['fresh'] : ['fresh', 'resume', 'overwrite']) {
    const place = await openWorkplace({ folder: join(work, `failing-${beginning}`), library: shim.library, beginning })
    const operations = await place.logOperations()
    for (const [operation, kinds] of Object.entries(actions)) {
      const calls = operations.filter((call) => call.operation === operation)
      if (calls.length === 0) continue
      const scenario = `${operation} fails, ${beginning}`
      for (const nth of isQuick ? spread(calls.length, 3) : spread(calls.length, calls.length)) {
        for (const action of isQuick ? kinds.slice(0, 1 + (nth % 2)) : kinds)
          await tryCall({ place, report, scenario, operation, nth, action })
      }
      report.endScenario(scenario)
    }
    place.close()
  }
}

async function tryCall({ place, report, scenario, operation, nth, action }) {
  place.reset()
  report.checked(scenario)
  const { ended, operations } = await place.runLogged(`${operation}:${nth}:${action}`)
  // Calls run side by side, so that in each run another one may be the Nth.
  const path = operations.filter((call) => call.operation === operation)[nth - 1]?.path ?? ''
  const where = `${operation} ${nth} ${action} at ${place.shorten(path)}`
  const finding = (await judgeEnd(place, ended)) ?? judgeInputError({ place, ended, path })
  if (finding !== undefined) report.finding(scenario, finding.what, `${where}: ${finding.detail}`)
}

/** An input that cannot be read is named, and not taken for an output. */
function judgeInputError({ place, ended, path }) {
  if (ended.status === 0 || !path.startsWith(join(place.folder, 'models'))) return undefined
  const line = errorLine(ended)
  const detail = place.shorten(line)
  if (/can't write|free some space/.test(ended.stderr))
    return { what: 'an input that cannot be read is called an output', detail }
  const isNamed = [basename(path), basename(dirname(path))].some((name) => line.includes(name))
  return isNamed ? undefined : { what: 'the error does not name the input', detail }
}
