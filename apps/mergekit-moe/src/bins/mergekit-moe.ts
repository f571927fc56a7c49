import { endProcess } from '@mk/cli'
import { mergekitMoe } from '../mergekit-moe.ts'

endProcess(await mergekitMoe(process.argv.slice(2)))
