import './require-node.mjs'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'

/**
 * Runs the command that a bin is for: out of its bundle, which is a few files, or module by module where there is none, or one of other
 * modules than are there now (docs/decisions/bundled-commands.md).
 * @param bin the URL of the bin: bin/NAME.mjs of a package with dist/bins/NAME.js
 */
export async function start(bin) {
  const [, name] = /([^/]+)\.mjs$/.exec(bin)
  const bundle = new URL('../dist/bundle/', bin)
  const { ended } = isCurrent(bundle)
    ? createRequire(bundle)(`./${loaderName}`).loadChunk(`${name}.cjs`)
    : await import(new URL(`../dist/bins/${name}.js`, bin).href)
  await ended
}

const loaderName = 'load-bundle.cjs'

/** What a bundle in a clone was made of. What is published has none: it is packed with the modules that it was made of. */
export const recordName = 'made-of.json'

/** Tells whether there is a bundle in the folder, and of the modules that are there. @param bundle the URL of the folder */
export function isCurrent(bundle) {
  const record = new URL(recordName, bundle)
  if (!existsSync(new URL(loaderName, bundle))) return false
  if (!existsSync(record)) return true
  return JSON.parse(readFileSync(record, 'utf8')).every(({ path, state }) => {
    const stats = statSync(new URL(path, bundle), { throwIfNoEntry: false })
    return stats !== undefined && state === stateOf(stats)
  })
}

/** Gives the state of a file: where it is equal the bytes are, as far as can be told without reading. */
export const stateOf = ({ size, mtimeMs }) => `${size} ${mtimeMs}`
