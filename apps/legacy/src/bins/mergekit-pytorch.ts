import { endProcess } from '@mk/cli'
import { mergekitPytorch } from '../mergekit-pytorch.ts'

export const ended = mergekitPytorch(process.argv.slice(2)).then(endProcess)
