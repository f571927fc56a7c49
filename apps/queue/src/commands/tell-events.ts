import { printable } from '@mk/errors'
import type { WorkerEvent } from '../worker/start-worker.ts'

interface TellFlags {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose: number
}

/** Makes what tells the events of a worker: lines on stderr, or of JSON on stdout. Trouble with the Redis is told once until it changes. */
export function createTeller({ json, quiet, verbose }: TellFlags): (event: WorkerEvent) => void {
  let trouble = ''
  return (event) => {
    if (event.kind === 'trouble') {
      if (event.message === trouble && verbose === 0) return
      trouble = event.message
    } else trouble = ''
    if (json) process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`)
    else if (!quiet) process.stderr.write(`${printable(describeEvent(event))}\n`)
  }
}

function describeEvent(event: WorkerEvent): string {
  const what =
    'merge' in event
      ? event.part === undefined
        ? `end of ${event.merge}`
        : `part ${event.part} of ${event.merge}`
      : ''
  switch (event.kind) {
    case 'started':
      return `${what}: started`
    case 'done':
      return `${what}: done`
    case 'failed':
      return `${what}: ${event.isFinal ? 'failed' : 'failed, and goes back to the queue'}: ${event.message}`
    case 'stalled':
      return `${event.job}: its worker was not heard of, and it goes to another`
    case 'trouble':
      return `warning: ${event.message}`
    default:
      return event satisfies never
  }
}
