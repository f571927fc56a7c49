import { endProcess } from '../commands/end-process.ts'
import { mkFill } from '../fill/mk-fill.ts'

endProcess(await mkFill(process.argv.slice(2)))
