import { endProcess } from '../commands/end-process.ts'
import { mkPush } from '../push/mk-push.ts'

export const ended = mkPush(process.argv.slice(2)).then(endProcess)
