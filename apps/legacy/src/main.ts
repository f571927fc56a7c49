import { mergekitLegacy } from './mergekit-legacy.ts'

process.exitCode = await mergekitLegacy(process.argv.slice(2))
