// Loaded into a measured process: writes its peak resident memory in bytes and its processor seconds, of user and of system, to file
// descriptor 3 when it ends.
import { writeSync } from 'node:fs'

process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  writeSync(3, `${maxRSS * 1024} ${userCPUTime / 1e6} ${systemCPUTime / 1e6}`)
})
