import { bakllama } from './layer-slices-command.ts'

process.exitCode = await bakllama(process.argv.slice(2))
