import { mergekitYaml } from './mergekit-yaml.ts'

process.exitCode = await mergekitYaml(process.argv.slice(2))
