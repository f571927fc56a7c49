import type { QueuePlace } from './connection.ts'
import { askQueue } from './open-queue.ts'
import { findEnd, type MergeStatus, statusOf } from './read-status.ts'

/**
 * Cancels a merge: workers leave its parts within seconds, and take no more of them. What is written so far stays, and goes on when it
 * is submitted again. One that is done stays so.
 * @throws QueueError 'queue-unknown-merge', and those of the connection
 */
export const cancelMerge = (id: string, place: QueuePlace = {}): Promise<MergeStatus> =>
  askQueue(place, async (queue) => {
    const end = await findEnd(queue, id)
    if (!(await end.isCompleted())) await queue.stops.write(id, { kind: 'canceled' })
    const { merges } = await statusOf(queue, id)
    return merges[0]!
  })
