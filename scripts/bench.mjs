// Builds, then times merges against the bare reading and writing; arguments go to apps/cli/bench/main.mjs.
import { join } from 'node:path'
import { bootstrap, root, run } from './bootstrap.mjs'

bootstrap()
process.exitCode = run(process.execPath, [join(root, 'apps/cli/bench/main.mjs'), ...process.argv.slice(2)])
