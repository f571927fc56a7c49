import { endProcess } from '../commands/end-process.ts'
import { mergekitYaml } from '../commands/mergekit-yaml.ts'

export const ended = mergekitYaml(process.argv.slice(2)).then(endProcess)
