import { endProcess } from '@mk/cli'
import { mkQueue } from '../commands/mk-queue.ts'

export const ended = mkQueue(process.argv.slice(2)).then(endProcess)
