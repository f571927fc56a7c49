import { endProcess } from '@mk/cli'
import { bakllama } from './bakllama-command.ts'

endProcess(await bakllama(process.argv.slice(2)))
