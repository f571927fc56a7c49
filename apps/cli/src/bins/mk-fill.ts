import { endProcess } from '../commands/end-process.ts'
import { mkFill } from '../fill/mk-fill.ts'

export const ended = mkFill(process.argv.slice(2)).then(endProcess)
