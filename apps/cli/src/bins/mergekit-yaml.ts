import { endProcess } from '../commands/end-process.ts'
import { mergekitYaml } from '../commands/mergekit-yaml.ts'

endProcess(await mergekitYaml(process.argv.slice(2)))
