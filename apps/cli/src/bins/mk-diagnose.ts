import { endProcess } from '../commands/end-process.ts'
import { mkDiagnose } from '../inspect/mk-diagnose.ts'

endProcess(await mkDiagnose(process.argv.slice(2)))
