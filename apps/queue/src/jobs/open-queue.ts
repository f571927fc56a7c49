import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { connectionError, openConnection, parseAddress, type QueuePlace, usualPlace } from './connection.ts'
import { createStops, type Stops } from './stops.ts'

/** A queue that can be asked. */
export interface OpenQueue {
  readonly name: string
  readonly redis: Redis
  readonly jobs: Queue
  readonly stops: Stops
  close(): Promise<void>
}

/**
 * Opens a queue. @param isPatient whether questions wait for a Redis that is being restarted
 * @throws QueueError 'queue-address', 'queue-unreachable', 'queue-refused'
 */
export async function openQueue(
  { redis: address = usualPlace.redis, queue: name = usualPlace.queue }: QueuePlace,
  isPatient: boolean,
): Promise<OpenQueue> {
  const redis = await openConnection(address, isPatient)
  const jobs = new Queue(name, { connection: redis })
  jobs.on('error', () => {})
  return {
    name,
    redis,
    jobs,
    stops: createStops(redis, name),
    async close() {
      await jobs.close().catch(() => {})
      redis.disconnect()
    },
  }
}

/** Opens a queue, asks, and closes it. @throws QueueError of the connection; what `ask` throws */
export async function askQueue<T>(place: QueuePlace, ask: (queue: OpenQueue) => Promise<T>): Promise<T> {
  const queue = await openQueue(place, false)
  try {
    return await ask(queue)
  } catch (error) {
    throw connectionError(error, parseAddress(place.redis ?? usualPlace.redis).shown)
  } finally {
    await queue.close()
  }
}
