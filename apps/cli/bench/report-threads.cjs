// Loaded into a measured process: tells on file descriptor 3 which thread of the system each of its threads is, and in the end the
// processor seconds of all of them.
const fs = require('node:fs')
const { isMainThread, threadId } = require('node:worker_threads')

fs.writeSync(3, `thread ${threadId} ${fs.readlinkSync('/proc/thread-self').split('/').at(-1)}\n`)
if (isMainThread)
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage()
    fs.writeSync(3, `all ${(userCPUTime + systemCPUTime) / 1e6}\n`)
  })
