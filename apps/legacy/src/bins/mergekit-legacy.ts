import { endProcess } from '@mk/cli'
import { mergekitLegacy } from '../mergekit-legacy.ts'

endProcess(await mergekitLegacy(process.argv.slice(2)))
