// Loaded into a measured process: writes its peak resident memory in bytes and its processor seconds, of user and of system, to file
// descriptor 3 when it ends, and before that when each thread read weights first, in milliseconds of the wall clock, and where Linux
// tells it the processor seconds of the main thread alone, up to its first task for another thread and in all: a line each.
// CommonJS, for which Node doesn't start its loader of modules, which a thread of a merge has no need of.
const fs = require('node:fs')
const { isMainThread, Worker } = require('node:worker_threads')

/** Shorter reads are of headers and of small tensors. */
const weightsBytes = 1 << 16

if (isMainThread) {
  const ofMain = `/proc/self/task/${process.pid}/schedstat`
  const tellMain = (what) => {
    if (fs.existsSync(ofMain))
      fs.writeSync(3, `${what} ${Number(fs.readFileSync(ofMain, 'utf8').split(' ')[0]) / 1e9}\n`)
  }
  const { postMessage } = Worker.prototype
  Worker.prototype.postMessage = function (message, ...rest) {
    if (message.kind !== 'start') {
      tellMain('planned')
      Worker.prototype.postMessage = postMessage
    }
    return postMessage.call(this, message, ...rest)
  }
  process.on('exit', () => {
    tellMain('main')
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
    fs.writeSync(3, `${maxRSS * 1024} ${userCPUTime / 1e6} ${systemCPUTime / 1e6}\n`)
  })
} else {
  const { readSync } = fs
  const { syncBuiltinESMExports } = require('node:module')
  const replace = (read) => {
    fs.readSync = read
    syncBuiltinESMExports()
  }
  replace((descriptor, buffer, offset, length, position) => {
    if (length >= weightsBytes) {
      fs.writeSync(3, `first ${performance.timeOrigin + performance.now()}\n`)
      replace(readSync)
    }
    return readSync(descriptor, buffer, offset, length, position)
  })
}
