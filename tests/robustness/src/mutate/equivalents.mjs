import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

const file = new URL('../../equivalent-mutants.json', import.meta.url)

/**
 * @typedef {object} Equivalent a mutant that no test can tell from the source
 * @property {string} file its name, without folders
 * @property {string} before the line
 * @property {string} after the line as the mutant has it
 * @property {string} reason why nothing can differ
 */

/** @returns {readonly Equivalent[]} */
export const readEquivalents = () => JSON.parse(readFileSync(file, 'utf8'))

/** @param {readonly Equivalent[]} equivalents @param {{ file: string, before: string, after: string }} mutant */
export const findEquivalent = (equivalents, mutant) =>
  equivalents.find(
    (entry) => entry.file === basename(mutant.file) && entry.before === mutant.before && entry.after === mutant.after,
  )
