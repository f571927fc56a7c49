import { endProcess } from '../commands/end-process.ts'
import { mkVerify } from '../inspect/mk-verify.ts'

export const ended = mkVerify(process.argv.slice(2)).then(endProcess)
