import { endProcess } from '../commands/end-process.ts'
import { mkVerify } from '../inspect/mk-verify.ts'

endProcess(await mkVerify(process.argv.slice(2)))
