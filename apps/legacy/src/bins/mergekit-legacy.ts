import { endProcess } from '@mk/cli'
import { mergekitLegacy } from '../mergekit-legacy.ts'

export const ended = mergekitLegacy(process.argv.slice(2)).then(endProcess)
