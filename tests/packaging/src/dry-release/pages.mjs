// The examples of READMEs as projects of a workspace of pnpm: each finds what its page tells to install, and nothing else.
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { root } from '../../../../scripts/workspace.mjs'
import { runCommand } from './steps.mjs'
import { clients, writeProject } from './strangers.mjs'

/** What is too large to install for an example, hundreds of megabytes: those that need it are checked, but not run. */
const large = ['onnxruntime-node', 'gpu.js', 'webgpu']
const projectOf = (folder, { directory }) => join(folder, directory.replace('/', '-'))

/** Writes the projects, each with its examples in TypeScript. */
export function writePages(folder, pages) {
  for (const page of pages) {
    const project = projectOf(folder, page)
    writeProject(
      project,
      page.install.filter((name) => !large.includes(name)),
    )
    for (const [index, code] of page.codes.entries()) writeFileSync(join(project, `example-${index}.ts`), code)
  }
  writeProject(folder, [], { '@types/node': '^20' })
  writeFileSync(join(folder, 'pnpm-workspace.yaml'), "packages:\n  - '*'\n")
}

/** Installs them; no project sees what another one depends on. */
export async function installPages(folder, env) {
  const store = join(env.HOME, 'store')
  await runCommand('npx', ['-y', clients.pnpm, 'install', '--store-dir', store, '--no-hoist'], { cwd: folder, env })
}

/** Checks the types of all examples, strictly, declarations of packages too. */
export async function typeCheckPages(folder, resolution) {
  const compilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    target: 'es2023',
    types: ['node'],
    ...(resolution === 'nodenext' ? { module: 'nodenext' } : { module: 'esnext', moduleResolution: 'bundler' }),
  }
  const file = join(folder, `tsconfig.${resolution}.json`)
  writeFileSync(file, JSON.stringify({ compilerOptions, include: ['*/example-*.ts'] }))
  await runCommand(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', file, '--pretty', 'false'])
}

/** Runs the examples of a page. @returns undefined, or why they were not run @throws Error where one prints nothing */
export async function runPages(folder, page, command, env) {
  if (page.install.some((name) => large.includes(name))) return 'checked, not run'
  const project = projectOf(folder, page)
  for (const [index, code] of page.codes.entries()) {
    const file = join(project, `example-${index}.mjs`)
    if (!existsSync(file)) writeFileSync(file, (await transform(code, { loader: 'ts', target: 'es2023' })).code)
    const scratch = join(project, 'scratch')
    rmSync(scratch, { recursive: true, force: true })
    mkdirSync(scratch)
    // Pages take the models of a clone.
    for (const name of ['examples', 'goldens']) symlinkSync(join(root, name), join(scratch, name))
    const printed = await runCommand(command[0], [...command.slice(1), file], { cwd: scratch, env })
    if (printed.trim() === '') throw new Error(`example ${index + 1} prints nothing`)
  }
  return undefined
}
