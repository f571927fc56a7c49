import { endProcess } from '@mk/cli'
import { bakllama } from '../bakllama.ts'

endProcess(await bakllama(process.argv.slice(2)))
