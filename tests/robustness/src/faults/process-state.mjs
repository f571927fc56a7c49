import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits until a process has stopped itself, or has ended.
 * @param {{ pid: number, isRunning: () => boolean }} child
 * @returns {Promise<boolean>} whether it has stopped
 */
export async function waitForStop(child) {
  while (child.isRunning()) {
    if (stateOf(child.pid) === 'T') return true
    await sleep(10)
  }
  return false
}

function stateOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2, text.lastIndexOf(')') + 3)
  } catch {
    return undefined
  }
}
