import type { HubActivity } from '@mk/merge'
import { formatBytes, formatSeconds } from './sizes.ts'

/** Tells in words what the client of the hub does; `stays` is what a log should keep. */
export function describeActivity(activity: HubActivity): { readonly text: string; readonly stays: boolean } {
  const { id, what } = activity
  switch (activity.kind) {
    case 'asking':
      return { text: `asking the hub: ${id}, ${what}`, stays: false }
    case 'repeating': {
      const { reason, attempt, attempts, waitMs } = activity
      const text = `${id}, ${what}: ${reason}; attempt ${attempt} of ${attempts} in ${formatSeconds(waitMs / 1000)}`
      return { text, stays: true }
    }
    case 'rate-limit': {
      const wait = formatSeconds(activity.waitMs / 1000)
      return {
        text: `the hub limits the rate of requests: waiting ${wait}, as it asks for (${id}, ${what})`,
        stays: true,
      }
    }
    case 'lock': {
      const { pid, host } = activity
      return { text: `waiting for process ${pid} on ${host}, which downloads ${what} of ${id}`, stays: true }
    }
    case 'whole-files': {
      const size = formatBytes(activity.byteCount)
      return {
        text: `downloading ${size} before the merge can be planned: ${what} of ${id} can't be read in part`,
        stays: true,
      }
    }
    default:
      return activity satisfies never
  }
}
