import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isMutated } from './areas.mjs'
import { describeMutant, findMutants } from './find-mutants.mjs'

/**
 * @typedef {object} Place a mutant in its file
 * @property {string} id the same as long as the file is
 * @property {string} file relative to the root, with slashes
 * @property {number} line
 * @property {string} before the line
 * @property {string} after the line as the mutant has it
 * @property {import('./find-mutants.mjs').Mutant} mutant
 */

/**
 * Lists all mutants of an area in an order that follows from the seed. It is by hashes, so that a changed line moves no other.
 * @param {string} root @param {import('./areas.mjs').Area} area @param {string} seed
 * @returns {Place[]}
 */
export function orderMutants(root, { folders }, seed) {
  const places = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
      .filter(isMutated)
      .toSorted()
      .flatMap((file) => placesOf(file, readFileSync(join(root, file), 'utf8'), seed)),
  )
  return places.toSorted((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ place }) => place)
}

function placesOf(file, source, seed) {
  const seen = new Map()
  return findMutants(file, source).map((mutant) => {
    const described = describeMutant(source, mutant)
    const text = [file, mutant.kind, described.before, described.after].join('\0')
    const count = (seen.get(text) ?? 0) + 1
    seen.set(text, count)
    const id = hashOf(file, source, String(mutant.start), mutant.text)
    return { rank: hashOf(seed, text, String(count)), place: { id, file, ...described, mutant } }
  })
}

const hashOf = (...texts) => createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 24)
