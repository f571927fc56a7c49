// A stranger's first merge: an empty folder, one installation, one command.
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../../scripts/workspace.mjs'
import { readBudgets } from '../measure-size.mjs'
import { runCommand } from './steps.mjs'
import { clients, measureModules, writeProject } from './strangers.mjs'

const recipe = 'recipes/gradient-slerp.yml'
/** What was published a moment ago is too young for Deno's taste. */
const youngOnesToo = '--minimum-dependency-age=0'
/** How each installs a package into a project, and runs a command of it. */
const ways = {
  npm: { install: ['npm', 'install', '@mk/cli'], run: ['npx'] },
  pnpm: { install: ['npx', '-y', clients.pnpm, 'add', '@mk/cli'], run: ['npx', '-y', clients.pnpm, 'exec'] },
  yarn: { install: ['npx', '-y', clients.yarn, 'add', '@mk/cli'], run: ['npx', '-y', clients.yarn, 'run'] },
  bun: { install: ['npx', '-y', clients.bun, 'add', '@mk/cli'], run: ['npx', '-y', clients.bun, '--bun', 'run'] },
  deno: {
    install: ['npx', '-y', clients.deno, 'add', youngOnesToo, 'npm:@mk/cli'],
    run: ['npx', '-y', clients.deno, 'run', '-A', youngOnesToo, '--node-modules-dir=auto'],
    commandOf: (name) => `npm:@mk/cli/${name}`,
  },
}

/**
 * Installs the command into a folder and merges with it.
 * @returns what the installation took, for the line that tells
 * @throws Error where it takes more than it may, or the output isn't what this repository makes of the same recipe
 */
export async function mergeAsStranger(folder, client, env) {
  const { install, run, commandOf = (name) => name } = ways[client]
  mkdirSync(folder, { recursive: true })
  // npm needs no project to begin with.
  if (client !== 'npm') writeProject(folder, [])
  await runCommand(install[0], install.slice(1), { cwd: folder, env })
  const told = client === 'npm' ? checkInstallation(folder) : undefined
  cpSync(join(root, 'examples/recipes'), join(folder, 'recipes'), { recursive: true })
  cpSync(join(root, 'examples/models'), join(folder, 'models'), { recursive: true })
  await runCommand(run[0], [...run.slice(1), commandOf('mergekit-yaml'), recipe, 'out'], { cwd: folder, env })
  const expected = join(folder, 'expected')
  const command = join(root, 'apps/cli/bin/mergekit-yaml.cjs')
  await runCommand(process.execPath, [command, recipe, expected, '--quiet'], { cwd: folder, env })
  const [made, ours] = [join(folder, 'out'), expected].map((out) => hashOf(join(out, 'model.safetensors')))
  if (made !== ours) throw new Error(`the output is not what this repository makes of ${recipe}`)
  return told
}

const hashOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex')

/** As npm tells of it in its lock. */
function checkInstallation(folder) {
  const modules = join(folder, 'node_modules')
  const { packages, scripted, blocks } = measureModules(
    modules,
    JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')),
  )
  const budget = readBudgets().installations.find(({ directories }) => directories.join() === 'apps/cli')
  const megabytes = (blocks / 1e6).toFixed(1)
  if (scripted.length > 0) throw new Error(`there are install scripts: ${scripted.join(', ')}`)
  if (packages > budget.packages || blocks > budget.blocks)
    throw new Error(
      `${packages} packages and ${megabytes} MB on disk, of ${budget.packages} and ${budget.blocks / 1e6}`,
    )
  const foreign = ['binding.gyp', 'build'].filter((name) => existsSync(join(modules, name)))
  if (foreign.length > 0) throw new Error(`something was built: ${foreign.join(', ')}`)
  return `${packages} packages, ${megabytes} MB on disk`
}
