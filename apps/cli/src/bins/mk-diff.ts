import { endProcess } from '../commands/end-process.ts'
import { mkDiff } from '../inspect/mk-diff.ts'

export const ended = mkDiff(process.argv.slice(2)).then(endProcess)
