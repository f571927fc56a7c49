// What a package costs in a bundle, by its entries, and what an installation of the commands brings.
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { listPacked } from '../../../scripts/release/stage.mjs'
import { root } from '../../../scripts/workspace.mjs'

export const budgetsFile = join(root, 'tests/packaging/budgets.json')
export const readBudgets = () => JSON.parse(readFileSync(budgetsFile, 'utf8'))

/** Lists what is bundled: the entries of what is used from code, everything in use, and the uses that the table names. */
export const listBundles = (packages, { uses }) => [
  ...packages
    .filter(({ directory }) => directory.startsWith('packages/'))
    .flatMap(({ directory, manifest: { name, exports } }) =>
      Object.entries(exports)
        .filter(([, target]) => typeof target === 'object')
        .map(([entry]) => `${name}${entry.slice(1)}`)
        .map((specifier) => ({ kind: 'entries', name: specifier, directory, code: `export * from '${specifier}'` })),
    ),
  ...Object.entries(uses).map(([name, { directory, code }]) => ({ kind: 'uses', name, directory, code })),
]

/**
 * Bundles each with all that it imports, but for what is Node's and for optional peers.
 * @returns for each bytes minified, and of these compressed by gzip
 */
export async function measureBundles(bundles) {
  const { outputFiles } = await build({
    entryPoints: bundles.map((_, index) => ({ in: `bundle:${index}`, out: String(index) })),
    plugins: [codeOf(bundles)],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    conditions: ['mk-source', 'module'],
    mainFields: ['module', 'main'],
    external: [...builtinModules, 'node:*', 'onnxruntime-node', 'gpu.js', 'webgpu', '@huggingface/hub'],
    logLevel: 'silent',
    outdir: 'out',
    write: false,
  })
  const byIndex = new Map(outputFiles.map(({ path, contents }) => [Number(/(\d+)\.js$/.exec(path)[1]), contents]))
  return bundles.map((_, index) => {
    const bytes = byIndex.get(index)
    return { minified: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length }
  })
}

const codeOf = (bundles) => ({
  name: 'code',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^bundle:/ }, ({ path }) => ({ path: path.slice('bundle:'.length), namespace: 'bundle' }))
    onLoad({ filter: /.*/, namespace: 'bundle' }, ({ path }) => ({
      contents: bundles[Number(path)].code,
      resolveDir: join(root, bundles[Number(path)].directory),
    }))
  },
})

/**
 * Adds up what an installation of packages of this repository brings, as it is in this clone.
 * @returns how many packages, theirs among them; the bytes of their files, and in blocks of 4096 as file systems take them
 */
export function measureInstallation(directories) {
  const found = new Map()
  const add = (folder) => {
    const real = realpathSync(folder)
    if (found.has(real)) return
    const manifest = JSON.parse(readFileSync(join(real, 'package.json'), 'utf8'))
    found.set(real, manifest)
    for (const name of Object.keys(manifest.dependencies ?? {})) add(placeOf(name, real))
  }
  for (const directory of directories) add(join(root, directory))
  const sizes = [...found].flatMap(([folder, manifest]) => listSizes(folder, manifest))
  const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0)
  return {
    packages: found.size,
    bytes: total(sizes),
    blocks: total(sizes.map((size) => Math.ceil(size / 4096) * 4096)),
  }
}

/** Beside the package in a store of pnpm, or in its own folder in a workspace. */
function placeOf(name, folder) {
  for (let at = folder; ; at = dirname(at)) {
    const candidate = join(at, 'node_modules', name)
    if (statSync(candidate, { throwIfNoEntry: false }) !== undefined) return candidate
    if (at === dirname(at)) throw new Error(`${name} is not installed for ${folder}`)
  }
}

const listSizes = (folder, { name }) =>
  name.startsWith('@mk/')
    ? [...listPacked(relative(root, folder).replaceAll('\\', '/')).values()].map(({ from, text }) =>
        text === undefined ? statSync(from).size : Buffer.byteLength(text),
      )
    : readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !/[/\\]node_modules([/\\]|$)/.test(entry.parentPath.slice(folder.length)))
        .map((entry) => statSync(join(entry.parentPath, entry.name)).size)
