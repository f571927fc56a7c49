import { endProcess } from '../commands/end-process.ts'
import { mergekitExtractLora } from '../extract-lora/mergekit-extract-lora.ts'

export const ended = mergekitExtractLora(process.argv.slice(2)).then(endProcess)
