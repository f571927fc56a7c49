import { endProcess } from '../commands/end-process.ts'
import { mkPush } from '../push/mk-push.ts'

endProcess(await mkPush(process.argv.slice(2)))
