// Runs before a package is packed, in its folder: bundles its commands and lays out what the tarball is to hold, or refuses.
import { spawnSync } from 'node:child_process'
import { join, relative } from 'node:path'
import { readManifest, root } from '../workspace.mjs'
import { stage } from './stage.mjs'

const directory = relative(root, process.cwd()).replaceAll('\\', '/')
const { name, publishConfig } = readManifest(directory)
try {
  if (process.env.npm_config_user_agent?.startsWith('pnpm/') !== true)
    throw new Error(`${name} is packed by pnpm: others leave 'workspace:*' in its dependencies; npx pnpm pack`)
  checkUpToDate()
  if (directory.startsWith('apps/')) run(join(root, 'scripts/bundle.mjs'), directory)
  stage(directory, join(process.cwd(), publishConfig.directory))
} catch (error) {
  console.error(`error: ${error.message}`)
  process.exitCode = 1
}

/** Sources that were changed since they were built would be packed beside code that is not theirs. */
function checkUpToDate() {
  const told = run(join(root, 'node_modules/typescript/bin/tsc'), '-b', '--dry', '--pretty', 'false')
  if (/would (build|update)/.test(told)) throw new Error(`${name} is not built, or has changed since; npm run build`)
}

/** Runs a program. @returns what it printed @throws Error with that where it fails */
function run(...args) {
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${args.join(' ')}: status ${status}\n${stdout}${stderr}`)
  return stdout
}
