import { endProcess } from '../commands/end-process.ts'
import { mkDiagnose } from '../inspect/mk-diagnose.ts'

export const ended = mkDiagnose(process.argv.slice(2)).then(endProcess)
