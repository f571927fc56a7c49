import { endProcess } from '../commands/end-process.ts'
import { mkGguf } from '../gguf/mk-gguf.ts'

export const ended = mkGguf(process.argv.slice(2)).then(endProcess)
