import { endProcess } from '../commands/end-process.ts'
import { mkDiff } from '../inspect/mk-diff.ts'

endProcess(await mkDiff(process.argv.slice(2)))
