import { endProcess } from '../commands/end-process.ts'
import { mergekitExtractLora } from '../extract-lora/mergekit-extract-lora.ts'

endProcess(await mergekitExtractLora(process.argv.slice(2)))
