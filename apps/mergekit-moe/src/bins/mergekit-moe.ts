import { endProcess } from '@mk/cli'
import { mergekitMoe } from '../mergekit-moe.ts'

export const ended = mergekitMoe(process.argv.slice(2)).then(endProcess)
