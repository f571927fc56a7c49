import { endProcess } from '@mk/cli'
import { mkQueue } from '../commands/mk-queue.ts'

endProcess(await mkQueue(process.argv.slice(2)))
