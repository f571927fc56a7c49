import type { Redis } from 'ioredis'

/** Why no more of a merge is to be done. */
export type Stop =
  | { readonly kind: 'canceled' }
  /** Somebody has to mend something first: what is wrong with one part is wrong with the others. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }

/** The stops of a queue, by merge: workers look there before a part, and while they are at it. */
export interface Stops {
  read(merge: string): Promise<Stop | undefined>
  /** Stops a merge; the first reason stands. */
  write(merge: string, stop: Stop): Promise<void>
  clear(merge: string): Promise<void>
}

/** Gives access to the stops of a queue. */
export function createStops(redis: Redis, queue: string): Stops {
  const key = `bull:${queue}:mk-stops`
  return {
    async read(merge) {
      const text = await redis.hget(key, merge)
      return text === null ? undefined : (JSON.parse(text) as Stop)
    },
    async write(merge, stop) {
      await redis.hsetnx(key, merge, JSON.stringify(stop))
    },
    async clear(merge) {
      await redis.hdel(key, merge)
    },
  }
}
