require('./require-node.cjs')
const { existsSync, readFileSync, statSync } = require('node:fs')
const { basename, join } = require('node:path')
const { pathToFileURL } = require('node:url')

/** What Node ends with where nothing is left that a module at the top level still waits for. */
const neverEnded = 13

/**
 * Runs the command that a bin is for: out of its bundle, which is a few files, or module by module where there is none, or one of other
 * modules than are there now (docs/decisions/bundled-commands.md). Bins are CommonJS, as Node starts its loader of modules for none else.
 * @param {string} bin the path of the bin: bin/NAME.cjs of a package with dist/bins/NAME.js
 */
exports.start = async (bin) => {
  const name = basename(bin, '.cjs')
  const bundle = join(bin, '../../dist/bundle')
  let hasEnded = false
  process.on('exit', () => {
    if (!hasEnded) process.exitCode ??= neverEnded
  })
  const { ended } = isCurrent(bundle)
    ? require(join(bundle, loaderName)).loadChunk(`${name}.cjs`)
    : await import(pathToFileURL(join(bin, `../../dist/bins/${name}.js`)).href)
  await ended
  hasEnded = true
}

const loaderName = 'load-bundle.cjs'

/** What a bundle in a clone was made of. What is published has none: it is packed with the modules that it was made of. */
const recordName = 'made-of.json'
exports.recordName = recordName

/** Tells whether there is a bundle in the folder, and of the modules that are there. @param {string} bundle the path of the folder */
function isCurrent(bundle) {
  const record = join(bundle, recordName)
  if (!existsSync(join(bundle, loaderName))) return false
  if (!existsSync(record)) return true
  return JSON.parse(readFileSync(record, 'utf8')).every(({ path, state }) => {
    const stats = statSync(join(bundle, path), { throwIfNoEntry: false })
    return stats !== undefined && state === stateOf(stats)
  })
}
exports.isCurrent = isCurrent

/** Gives the state of a file: where it is equal the bytes are, as far as can be told without reading. */
const stateOf = ({ size, mtimeMs }) => `${size} ${mtimeMs}`
exports.stateOf = stateOf
