import { endProcess } from '@mk/cli'
import { mergekitPytorch } from '../mergekit-pytorch.ts'

endProcess(await mergekitPytorch(process.argv.slice(2)))
