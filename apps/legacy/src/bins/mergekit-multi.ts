import { endProcess } from '@mk/cli'
import { mergekitMulti } from '../mergekit-multi.ts'

export const ended = mergekitMulti(process.argv.slice(2)).then(endProcess)
