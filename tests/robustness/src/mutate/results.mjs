import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * @typedef {object} Result what came of a mutant
 * @property {string} id of its place
 * @property {'caught' | 'hangs' | 'not compiled' | 'survives' | 'undecided'} outcome
 * @property {string} [by] the test that noticed
 * @property {string} file
 * @property {number} line
 * @property {string} kind
 * @property {string} before
 * @property {string} after
 */

/**
 * Opens a file of results, one a line, to which each is added as soon as it is known.
 * @param {string | undefined} file none: they are kept in memory
 */
export function openResults(file) {
  /** @type {Map<string, Result>} */
  const results = new Map()
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true })
  if (file !== undefined && existsSync(file))
    // A run that was killed may have left half a line.
    for (const line of readFileSync(file, 'utf8').split('\n')) if (line.endsWith('}')) keep(JSON.parse(line))
  function keep(result) {
    results.set(result.id, result)
  }
  return {
    /** What is known of a place. A survivor is tried again, as there may be a test now, and so is what a busy machine left undecided. @param {string} id */
    find(id) {
      const result = results.get(id)
      return result?.outcome === 'survives' || result?.outcome === 'undecided' ? undefined : result
    },
    /** @param {Result} result */
    add(result) {
      keep(result)
      if (file !== undefined) appendFileSync(file, `${JSON.stringify(result)}\n`)
    },
  }
}
