import { endProcess } from '../commands/end-process.ts'
import { mkEmr } from '../inspect/mk-emr.ts'

endProcess(await mkEmr(process.argv.slice(2)))
