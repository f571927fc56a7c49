import { Option } from 'commander'
import { type QueuePlace, usualPlace } from '../jobs/connection.ts'

/** Which queue a command asks. */
export interface QueueFlags {
  readonly redis: string
  readonly queue: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose: number
}

/** The heading in the help of what all options of a queue stand under. */
export const queueHeading = 'The queue:'

/** Makes an option that stands in the help among those of the queue. */
export const queueOption = (flags: string, summary: string): Option =>
  new Option(flags, summary).helpGroup(queueHeading)

/** The options that say which queue. */
export const placeOptions = (): readonly Option[] => [
  queueOption('--redis <address>', 'where the Redis is').env('REDIS_URL').default(usualPlace.redis),
  queueOption('--queue <name>', 'the name of the queue').default(usualPlace.queue),
]

/** Gives the place that flags name. */
export const placeOf = ({ redis, queue }: QueueFlags): QueuePlace => ({ redis, queue })
