import { createHash } from 'node:crypto'
import { closeSync, existsSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import { join } from 'node:path'

/** @typedef {Readonly<Record<string, string>>} Tree what a folder holds: a hash by relative path */

/**
 * Reads what is in a folder.
 * @param {string} folder
 * @returns {Tree | undefined} undefined where there is none
 */
export function readTree(folder) {
  if (!existsSync(folder)) return undefined
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()
  return Object.fromEntries(names.flatMap((name) => entryOf(join(folder, name), name)))
}

function entryOf(path, name) {
  // Between the listing and this moment a merge may have moved on.
  const status = lstatSync(path, { throwIfNoEntry: false })
  if (status?.isSymbolicLink()) return [[name, `-> ${readlinkSync(path)}`]]
  return status?.isFile() ? [[name, hashOf(path)]] : []
}

function hashOf(path) {
  const hash = createHash('sha256')
  const bytes = Buffer.alloc(1 << 20)
  const file = openSync(path, 'r')
  try {
    for (let count; (count = readSync(file, bytes)) > 0;) hash.update(bytes.subarray(0, count))
  } finally {
    closeSync(file)
  }
  return hash.digest('hex')
}

/** @param {Tree | undefined} one @param {Tree | undefined} other */
export const isSameTree = (one, other) => differences(one, other).length === 0

/** Lists the paths at which two folders differ. @param {Tree | undefined} one @param {Tree | undefined} other */
export function differences(one, other) {
  if (one === undefined || other === undefined) return one === other ? [] : ['(the folder itself)']
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((name) => one[name] !== other[name])
}
