import { differences, isSameTree } from '../folder-tree.mjs'
import { errorLine, faultOfEnd, looksFinished } from '../merge-command.mjs'

/** @typedef {Awaited<ReturnType<typeof import('./workplace.mjs').openWorkplace>>} Workplace */
/** @typedef {{ what: string, detail: string }} Finding */

/**
 * Judges what a merge that ended by itself has left, and whether the same command goes on from there.
 * Wanted: status 0 and the right bytes, or one error and nothing that looks finished; nothing beside OUT but what a rerun takes away.
 * @param {Workplace} place @param {import('../run-command.mjs').Ended} ended
 * @returns {Promise<Finding | undefined>}
 */
export async function judgeEnd(place, ended) {
  const detail = place.shorten(errorLine(ended))
  const fault = faultOfEnd(ended)
  if (fault !== undefined) return { what: fault, detail }
  const tree = place.outTree()
  if (ended.status === 0) {
    if (!isSameTree(tree, place.reference))
      return { what: 'status 0, but other bytes', detail: differences(tree, place.reference).join(', ') }
    return leftBeside(place)
  }
  if (isSameTree(tree, place.reference)) return { what: `status ${ended.status} although OUT is whole`, detail }
  if (!isOld(place, tree) && looksFinished(place.out)) return { what: 'an error, but OUT looks finished', detail }
  if (place.strangers().length === 0 && (tree === undefined || isOld(place, tree))) return undefined
  return judgeRerun(place)
}

/**
 * Judges the state after a kill: nothing at OUT that looks finished and is not, and the same command goes on or is done.
 * @param {Workplace} place
 * @returns {Promise<Finding | undefined>}
 */
export async function judgeKilled(place) {
  const tree = place.outTree()
  if (isSameTree(tree, place.reference) && place.old === undefined) return leftBeside(place)
  if (!isSameTree(tree, place.reference) && !isOld(place, tree) && looksFinished(place.out))
    return { what: 'OUT looks finished and is not', detail: differences(tree, place.reference).join(', ') }
  return judgeRerun(place)
}

/** @param {Workplace} place @returns {Promise<Finding | undefined>} */
export async function judgeRerun(place) {
  const ended = await place.run()
  if (ended.status !== 0)
    return {
      what: `the same command again ends with ${ended.status ?? ended.signal}`,
      detail: place.shorten(errorLine(ended)),
    }
  const tree = place.outTree()
  if (!isSameTree(tree, place.reference))
    return { what: 'other bytes after the same command again', detail: differences(tree, place.reference).join(', ') }
  return leftBeside(place)
}

const isOld = (place, tree) => place.old !== undefined && isSameTree(tree, place.old)

function leftBeside(place) {
  const names = place.strangers()
  return names.length === 0 ? undefined : { what: 'something is left beside OUT', detail: names.join(', ') }
}
