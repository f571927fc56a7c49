// What a tarball holds: the manifest without what is for this repository alone, README.md with links that work elsewhere, LICENSE,
// and what was built. It is laid out in a folder of its own beside the sources.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { readManifest, root } from '../workspace.mjs'

/**
 * What is in a folder that is published, but not for those who install it. Maps are, with the sources that they lead to: code reads
 * as its source, declarations have its docstrings, and together they would be a third of an installation.
 */
const leftOut = /(^|\/)__fixtures__\/|(^|\/)\.tsbuildinfo$|\.map$|(^|\/)made-of\.json$|\/bundle\/compiled-/
/** What only this repository reads. */
const ownFields = ['scripts', 'devDependencies', 'files', 'publishConfig']
const ownCondition = 'mk-source'

/** Lays out a package as it is to be packed, in a folder that is replaced where it is there. @throws Error as `listPacked` */
export function stage(directory, folder) {
  const packed = listPacked(directory)
  rmSync(folder, { recursive: true, force: true })
  for (const [path, { from, text }] of packed) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    if (text === undefined) cpSync(from, file)
    else writeFileSync(file, text)
  }
}

/**
 * Lists what the tarball of a package holds, by path: the file that it is copied `from`, or its `text`.
 * @param directory of the package, from the root
 * @throws Error where something that the package promises has not been built
 */
export function listPacked(directory, manifest = readManifest(directory)) {
  const folder = join(root, directory)
  const files = manifest.files.flatMap((name) => listFiles(folder, name)).filter((path) => !leftOut.test(path))
  checkBuilt(folder, manifest)
  const page = readFileSync(join(folder, 'README.md'), 'utf8')
  return new Map([
    ...files.map((path) => [path, contentOf(join(folder, path))]),
    ['LICENSE', { from: join(root, 'LICENSE') }],
    ['README.md', { text: withAbsoluteLinks(page, directory, manifest.repository.url) }],
    ['package.json', { text: `${JSON.stringify(publishedManifest(manifest), undefined, 2)}\n` }],
  ])
}

/** Code and declarations no longer name a map that isn't there. */
const contentOf = (file) =>
  !/\.js$|\.d\.ts$/.test(file)
    ? { from: file }
    : { text: readFileSync(file, 'utf8').replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n') }

/** Gives the manifest as it is published; pnpm puts versions in the place of `workspace:`. */
export function publishedManifest(manifest) {
  const kept = Object.entries(manifest).filter(([key]) => !ownFields.includes(key))
  const { sideEffects, publishConfig } = manifest
  const { access, provenance } = publishConfig
  return {
    ...withoutCondition(Object.fromEntries(kept)),
    ...(Array.isArray(sideEffects) && { sideEffects: sideEffects.filter((path) => !/^(\.\/)?src\//.test(path)) }),
    publishConfig: { access, provenance },
  }
}

const withoutCondition = (value) =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(
        Object.entries(value)
          .filter(([key]) => key !== ownCondition)
          .map(([key, inner]) => [key, withoutCondition(inner)]),
      )

/** Gives a page of a package with its relative links to where they lead in the public repository; anchors stay. */
export function withAbsoluteLinks(page, directory, repositoryUrl) {
  const base = repositoryUrl.replace(/^git\+/, '').replace(/\.git$/, '')
  return page.replaceAll(/(!?)(\[[^\]]*\])\((?![a-z]+:|#|\/)([^)\s]+)\)/g, (_, sign, text, link) => {
    const [path, anchor] = link.split('#')
    const view = sign === '!' ? 'raw' : /\.\w+$/.test(path) ? 'blob' : 'tree'
    return `${sign}${text}(${base}/${view}/main/${posix.join(directory, path)}${anchor === undefined ? '' : `#${anchor}`})`
  })
}

/** @throws Error with the first file that has not been built */
function checkBuilt(folder, { name, exports, bin = {} }) {
  const promised = [...Object.values(exports).flatMap(targetsOf), ...Object.values(bin)]
  const compiled = listFiles(folder, 'src')
    .filter((path) => /(?<!\.d|\.test)\.ts$/.test(path) && !leftOut.test(path))
    .map((path) => path.replace(/^src\/(.*)\.ts$/, 'dist/$1.js'))
  for (const file of [...promised, ...compiled])
    if (!existsSync(join(folder, file)))
      throw new Error(`${name} is not built: ${file} is missing; npm run build makes it`)
}

const targetsOf = (target) =>
  typeof target === 'string'
    ? [target]
    : Object.entries(target).flatMap(([key, inner]) => (key === ownCondition ? [] : targetsOf(inner)))

/** Lists the files below a name in a folder, or the name itself; nothing where it is not there. */
function listFiles(folder, name) {
  const stats = statSync(join(folder, name), { throwIfNoEntry: false })
  if (stats === undefined) return []
  if (stats.isFile()) return [name]
  return readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
}
