// Bundles the commands of the apps, or of those named (apps/cli …), so that they start without looking for hundreds of modules:
// dist/bins/*.js → dist/bundle (docs/decisions/bundled-commands.md). What is built has to be up to date.
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { rolldown } from 'rolldown'
import { isCurrent, recordName, stateOf } from '../apps/cli/bin/start.cjs'
import { listMembers, root } from './workspace.mjs'

/** What every merge loads, though by import(): it becomes one chunk with all that it imports. */
const ofEveryMerge = ['commands/execute-merge', 'commands/load-methods', 'commands/merging', 'print/format-result'].map(
  (name) => join(root, 'apps/cli/dist', `${name}.js`),
)
const ownFiles = ['pnpm-lock.yaml', 'scripts/bundle.mjs', 'scripts/load-bundle.cjs']
/** Only space goes: a stack still names the functions of the sources, and an installation has half a megabyte less. */
const minify = { compress: false, mangle: false, codegen: { removeWhitespace: true } }
/** What a user installs beside the commands where it is wanted, or a package of the command's that is only wanted behind a proxy. */
const external = ['@huggingface/hub', 'bullmq', 'gpu.js', 'ioredis', 'onnxruntime-node', 'undici', 'webgpu', /^node:/]

const given = process.argv.slice(2)
for (const { directory, manifest } of listMembers())
  if (directory.startsWith('apps/') && (given.length === 0 || given.includes(directory)))
    await bundle(join(root, directory), Object.keys(manifest.bin))

/** Makes the bundle of an app whose commands have these names, unless the one that is there is of what is built. */
async function bundle(app, names) {
  const folder = join(app, 'dist/bundle')
  if (existsSync(join(folder, recordName)) && isCurrent(folder)) return
  // A folder of its own: two programs that start at once may both find that a bundle is wanted.
  const making = `${folder}-${process.pid}`
  rmSync(making, { recursive: true, force: true })
  const commands = names.map((name) => join(app, 'dist/bins', `${name}.js`))
  const modules = await write(commands, making, [
    { name: 'command', from: commands },
    { name: 'merge', from: ofEveryMerge },
  ])
  for (const worker of listWorkers(modules)) modules.push(...(await write([worker], making)))
  copyFileSync(join(root, 'scripts/load-bundle.cjs'), join(making, 'load-bundle.cjs'))
  writeFileSync(join(making, 'licenses.txt'), licensesOf(modules))
  // Paths lead from the folder that the bundle is about to be.
  const record = marksOf(modules).map((mark) => ({
    path: relative(folder, mark).replaceAll('\\', '/'),
    state: stateOf(statSync(mark)),
  }))
  writeFileSync(join(making, recordName), JSON.stringify(record))
  try {
    rmSync(folder, { recursive: true, force: true })
    renameSync(making, folder)
  } catch (error) {
    rmSync(making, { recursive: true, force: true })
    if (!isCurrent(folder)) throw error
  }
}

/**
 * Writes what entries and all that they import become.
 * @param parts names for what is reached from some modules without import(), the first that has a module gets it; what is left is
 * split where import() is. Absent: all is one file
 * @returns the paths of the modules
 */
async function write(entries, folder, parts) {
  const imports = new Map()
  const noteImports = {
    name: 'note-imports',
    buildEnd() {
      for (const id of this.getModuleIds()) imports.set(id, this.getModuleInfo(id)?.importedIds ?? [])
    },
  }
  const groups = parts?.map(({ name, from }, index) => {
    let reached
    // What waits for a command to end is no part of what is imported meanwhile.
    const test = (id) => !entries.includes(id) && (reached ??= reachedFrom(from, imports)).has(id)
    return { name, priority: parts.length - index, test }
  })
  const result = await rolldown({
    input: entries,
    platform: 'node',
    external,
    transform: { define: { 'import.meta': 'importMeta' } },
    plugins: [noteImports],
    // One command has from the start what another asks for when it needs it.
    checks: { ineffectiveDynamicImport: false },
  })
  const { output } = await result.write({
    dir: folder,
    format: 'cjs',
    entryFileNames: groups ? '[name].cjs' : '[name]-[hash].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    comments: false,
    minify,
    codeSplitting: groups ? { groups } : false,
  })
  for (const { isEntry, name, fileName } of output) {
    const chunk = join(folder, fileName)
    writeFileSync(chunk, wrapChunk(readFileSync(chunk, 'utf8')))
    if (isEntry && !groups) writeFileSync(join(folder, `${name}.cjs`), threadOf(fileName))
  }
  await result.close()
  return [...imports.keys()]
}

/** Makes of a CommonJS module an expression in ASCII, which is read and compiled as it stands by load-bundle.cjs. */
function wrapChunk(code) {
  const ascii = code
    .replaceAll(/\bimport\((?=`|__rewriteRelativeImportExtension\()/g, 'importHere(')
    .replaceAll(/(Worker\(new URL\(`\.\/[\w-]+)\.js`/g, '$1.cjs`')
    .replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const other = /.{0,40}\bimport\(.{0,40}/.exec(ascii)
  if (other !== null) throw new Error(`an import() that the bundle can't have: ${other[0]}`)
  return `(function(exports,require,module,importMeta,importHere){${ascii}\n})\n`
}

/** What a thread runs, which is one chunk. */
function threadOf(chunk) {
  return `require('./load-bundle.cjs').loadChunk('${chunk}')\n`
}

function reachedFrom(modules, imports) {
  const reached = new Set(modules)
  for (const module of reached) for (const imported of imports.get(module) ?? []) reached.add(imported)
  return reached
}

/** Lists the modules that others start as threads, from beside them: in a bundle they lie there, too. */
function listWorkers(modules) {
  const pattern = /new Worker\(new URL\('(\.\/[\w-]+\.js)', import\.meta\.url\)/g
  return modules
    .filter((module) => module.startsWith(root) && !module.includes('node_modules'))
    .flatMap((module) =>
      [...readFileSync(module, 'utf8').matchAll(pattern)].map(([, path]) => resolve(dirname(module), path)),
    )
}

/** Lists the files that change whenever a bundle does: what the compiler notes of each package, which others there are, and this. */
function marksOf(modules) {
  const built = modules.flatMap(
    (module) => /^.*[/\\](?:packages|apps)[/\\][^/\\]+[/\\]dist(?=[/\\])/.exec(module) ?? [],
  )
  return [...[...new Set(built)].map((dist) => join(dist, '.tsbuildinfo')), ...ownFiles.map((name) => join(root, name))]
}

/** Puts together the licenses of the packages of others that are in a bundle. */
function licensesOf(modules) {
  const folders = new Set(
    modules.flatMap((module) => /^.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+/.exec(module) ?? []),
  )
  return [...folders]
    .map((folder) => {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      const license = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
      if (license === undefined) throw new Error(`${name} has no file with its license`)
      return `${name} ${version}\n\n${readFileSync(join(folder, license), 'utf8').trim()}\n`
    })
    .toSorted()
    .join('\n\n')
}
