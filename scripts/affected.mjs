// Builds, lints and tests the packages that have changed, and those that depend on them: npm run affected. What turbo has seen before,
// here or in a cache that was brought along, it takes from there. Further arguments go to turbo.
import { delimiter } from 'node:path'
import { bootstrap, root, run } from './bootstrap.mjs'

bootstrap({ build: false })
const args = ['run', 'build', 'lint', 'test', '--concurrency=1', '--output-logs=errors-only', ...process.argv.slice(2)]
process.exitCode = run(process.execPath, [`${root}/node_modules/turbo/bin/turbo`, ...args], {
  // turbo asks pnpm, which is a dependency here.
  env: {
    ...process.env,
    TURBO_TELEMETRY_DISABLED: '1',
    PATH: `${root}/node_modules/.bin${delimiter}${process.env.PATH}`,
  },
})
