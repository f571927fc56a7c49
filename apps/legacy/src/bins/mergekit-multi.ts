import { endProcess } from '@mk/cli'
import { mergekitMulti } from '../mergekit-multi.ts'

endProcess(await mergekitMulti(process.argv.slice(2)))
