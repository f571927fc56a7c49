import { setTimeout as sleep } from 'node:timers/promises'
import { describeScreen, exitStatus } from '@mk/cli'
import type { QueuePlace } from '../jobs/connection.ts'
import { openQueue } from '../jobs/open-queue.ts'
import { type MergeStatus, type QueueStatus, statusOf } from '../jobs/read-status.ts'
import { formatOne, formatQueue } from './format-status.ts'

const lookMs = 1000

/** What is shown while a merge goes on. */
export interface Following {
  readonly isQuiet: boolean
  /** Stops looking at the first that ends; absent: never. */
  readonly id?: string
}

/**
 * Shows how merges are until the one that is asked for has ended; it waits for a Redis that is restarted. On a terminal the view is
 * drawn over the one before; elsewhere it is printed where a state or a count has changed.
 * @returns how it was in the end
 */
export async function follow(place: QueuePlace, { isQuiet, id }: Following): Promise<QueueStatus> {
  const queue = await openQueue(place, true)
  const { isTTY, width } = describeScreen(process.stderr)
  let lines = 0
  let told = ''
  try {
    for (;;) {
      const status = await statusOf(queue, id)
      if (!isQuiet) {
        const text = id === undefined ? formatQueue(status, width) : formatOne(status, width)
        const gist = JSON.stringify(
          status.merges.map((merge) => [merge.id, merge.state, merge.parts.map((part) => part.state)]),
        )
        if (isTTY) process.stderr.write(`${lines > 0 ? `\u001b[${lines}A\u001b[J` : ''}${text}`)
        else if (gist !== told) process.stderr.write(text)
        lines = text.split('\n').length - 1
        told = gist
      }
      if (id !== undefined && hasEnded(status.merges[0]!)) return status
      await sleep(lookMs)
    }
  } finally {
    await queue.close()
  }
}

/** Where a part has failed that can be tried again, the others are still done: then only that one is missing. */
const hasEnded = ({ state, parts, isRefused }: MergeStatus): boolean =>
  state === 'done' ||
  state === 'canceled' ||
  (state === 'failed' &&
    parts.every((part) => part.state === 'done' || part.state === 'failed' || (isRefused && part.state !== 'running')))

/** Gives the exit status that tells of a merge's end: 1 where submitting it again may help, 2 where it doesn't. */
const statusOfEnd = ({ state, isRefused }: MergeStatus): number =>
  state === 'done' ? exitStatus.success : isRefused || state === 'canceled' ? exitStatus.usage : exitStatus.failure

/** Follows a merge to its end, tells it, and gives the exit status that tells of it. */
export async function endAsMerge(
  place: QueuePlace,
  { id, isQuiet, json }: { readonly id: string; readonly isQuiet: boolean; readonly json: boolean },
): Promise<number> {
  const status = await follow(place, { id, isQuiet: isQuiet || json })
  const [merge] = status.merges
  process.stdout.write(json ? `${JSON.stringify({ version: 1, ...status })}\n` : `${merge!.id}: ${merge!.state}\n`)
  return statusOfEnd(merge!)
}
