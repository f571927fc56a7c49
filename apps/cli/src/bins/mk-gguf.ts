import { endProcess } from '../commands/end-process.ts'
import { mkGguf } from '../gguf/mk-gguf.ts'

endProcess(await mkGguf(process.argv.slice(2)))
