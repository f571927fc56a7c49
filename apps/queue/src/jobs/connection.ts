import { isSystemError, systemReason } from '@mk/errors'
import { Redis } from 'ioredis'
import { QueueError } from '../errors.ts'

/** Where a queue is. */
export interface QueuePlace {
  /** The address of the Redis. @default redis://127.0.0.1:6379 */
  readonly redis?: string
  /** The name of the queue; others are not seen. @default mk */
  readonly queue?: string
}

/** The place of a queue where none is said. */
export const usualPlace = { redis: 'redis://127.0.0.1:6379', queue: 'mk' } as const

/** How long a first answer may take. */
const connectMs = 5000
/** Between two tries to get back to a Redis that is gone. */
const retryMs = 500
/** Of one question, where nobody waits for a Redis that is being restarted. */
const impatientRetries = 4

/**
 * Opens a connection to a Redis that answers now.
 * @param isPatient whether questions wait for a Redis that goes away later, for as long as it takes
 * @throws QueueError 'queue-address', 'queue-unreachable', 'queue-refused'
 */
export async function openConnection(address: string, isPatient: boolean): Promise<Redis> {
  const { shown } = parseAddress(address)
  let problem: unknown
  const redis = new Redis(address, {
    lazyConnect: true,
    connectTimeout: connectMs,
    // With it, blocking questions of workers come back to a Redis that was restarted.
    maxRetriesPerRequest: isPatient ? null : impatientRetries,
    retryStrategy: () => retryMs,
  })
  // Each try that fails is one; what is asked meanwhile waits, or fails by itself.
  redis.on('error', (error) => (problem = error))
  try {
    await redis.connect()
    await redis.ping()
    return redis
  } catch (cause) {
    redis.disconnect()
    throw connectionError(problem ?? cause, shown)
  }
}

/** Makes a QueueError of what a Redis, or the way to it, refuses; gives anything else back. */
export function connectionError(cause: unknown, address: string): unknown {
  if (!(cause instanceof Error)) return cause
  if (/^(NOAUTH|WRONGPASS|NOPERM|ERR (invalid password|AUTH|DB index))/.test(cause.message))
    return new QueueError({ code: 'queue-refused', address, reason: cause.message }, { cause })
  const isGone =
    isSystemError(cause) || /^(Connection is closed|connect ETIMEDOUT|Reached the max retries)/.test(cause.message)
  if (!isGone) return cause
  return new QueueError(
    { code: 'queue-unreachable', address, reason: isSystemError(cause) ? systemReason(cause) : cause.message },
    { cause },
  )
}

/** Checks an address. @returns it as messages show it, without a password @throws QueueError 'queue-address' */
export function parseAddress(address: string): { readonly shown: string } {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '')
    throw new QueueError({ code: 'queue-address', address: address.replace(/:[^:@/]*@/, ':***@') })
  return { shown: `${url.protocol}//${url.host}${url.pathname}` }
}
