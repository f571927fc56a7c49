import { endProcess } from '@mk/cli'
import { mergekitTokensurgeon } from '../mergekit-tokensurgeon.ts'

endProcess(await mergekitTokensurgeon(process.argv.slice(2)))
