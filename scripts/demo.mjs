import { bootstrap, root, run } from './bootstrap.mjs'

bootstrap()
process.exitCode = run(process.execPath, [`${root}/apps/cli/bin/mergekit-yaml.mjs`, '--help'])
