// Builds, then times merges against the bare reading and writing, and the blocks of GGUFs unless arguments ask for something; they go
// to apps/cli/bench/main.mjs.
import { join } from 'node:path'
import { bootstrap, root, run } from './bootstrap.mjs'

bootstrap()
const given = process.argv.slice(2)
process.exitCode = run(process.execPath, [join(root, 'apps/cli/bench/main.mjs'), ...given])
if (given.length === 0) run(process.execPath, [join(root, 'packages/gguf/bench/blocks.mjs')])
