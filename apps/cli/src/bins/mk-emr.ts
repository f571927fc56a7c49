import { endProcess } from '../commands/end-process.ts'
import { mkEmr } from '../inspect/mk-emr.ts'

export const ended = mkEmr(process.argv.slice(2)).then(endProcess)
