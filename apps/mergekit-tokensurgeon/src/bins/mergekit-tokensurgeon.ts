import { endProcess } from '@mk/cli'
import { mergekitTokensurgeon } from '../mergekit-tokensurgeon.ts'

export const ended = mergekitTokensurgeon(process.argv.slice(2)).then(endProcess)
