import { endProcess } from '@mk/cli'
import { bakllama } from '../bakllama.ts'

export const ended = bakllama(process.argv.slice(2)).then(endProcess)
