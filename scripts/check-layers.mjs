// Imports between packages go downward only, in the order of layers.json, never to another package of the same layer; each
// package stands as low as its imports let it, so that the table tells what they are; and what must run in a browser imports
// nothing of Node's outside src/node.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { layers, exceptions, withoutNode } = JSON.parse(readFileSync(new URL('layers.json', import.meta.url), 'utf8'))
const depthOf = (name) => layers.findIndex((layer) => layer.includes(name))
const importPattern = /(?:\bfrom|\bimport)\s*\(?\s*(['"])([^'"\n]+)\1/g
const comments = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm

const problems = []
const imported = new Map()
for (const group of ['packages', 'apps']) {
  for (const name of readdirSync(join(root, group))) {
    const folder = join(root, group, name)
    if (!existsSync(join(folder, 'package.json'))) continue
    if (depthOf(name) < 0) problems.push(`${group}/${name}: not in scripts/layers.json`)
    imported.set(name, new Set())
    checkManifest(name, join(folder, 'package.json'))
    for (const part of ['src', 'bench', 'bin']) {
      for (const file of sourceFiles(join(folder, part))) checkFile(name, folder, file)
    }
  }
}
for (const [name, below] of imported) {
  if (exceptions.some(({ from }) => from === name)) continue
  const lowest = Math.min(...[...below].map(depthOf), layers.length) - 1
  if (depthOf(name) < lowest) problems.push(`scripts/layers.json: ${name} imports nothing of the layer below its own`)
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0

function checkManifest(name, file) {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = JSON.parse(
    readFileSync(file, 'utf8'),
  )
  for (const specifier of Object.keys({
    ...dependencies,
    ...devDependencies,
    ...optionalDependencies,
    ...peerDependencies,
  })) {
    checkLayer(name, relative(root, file), specifier)
  }
}

function checkFile(name, folder, file) {
  const inFolder = relative(folder, file).replaceAll('\\', '/')
  const forBrowsers =
    withoutNode.includes(name) && /^src\/(?!node\/)/.test(inFolder) && !/\.test\.ts$|\/__fixtures__\//.test(inFolder)
  const text = readFileSync(file, 'utf8').replace(comments, (comment) => comment.replace(/[^\n]/g, ' '))
  for (const match of text.matchAll(importPattern)) {
    const specifier = match[2]
    const where = `${relative(root, file)}:${text.slice(0, match.index).split('\n').length}`
    checkLayer(name, where, specifier)
    if (!forBrowsers) continue
    const ownNodePart =
      specifier.startsWith('.') && relative(folder, join(dirname(file), specifier)).startsWith(join('src', 'node'))
    if (isBuiltin(specifier) || /^@mk\/[^/]+\/node$/.test(specifier) || ownNodePart) {
      problems.push(`${where}: imports '${specifier}', but @mk/${name} also runs in browsers; move it under src/node`)
    }
  }
}

function checkLayer(from, where, specifier) {
  const to = /^@mk\/([^/]+)/.exec(specifier)?.[1]
  if (to === undefined || to === from || exceptions.some((e) => e.from === from && e.to === to)) return
  if (depthOf(to) < 0) problems.push(`${where}: '${specifier}' is not in scripts/layers.json`)
  else if (depthOf(to) < depthOf(from))
    problems.push(`${where}: imports '${specifier}', but @mk/${to} is above @mk/${from}`)
  else if (depthOf(to) === depthOf(from))
    problems.push(`${where}: imports '${specifier}', but @mk/${to} is on the same layer as @mk/${from}`)
  else imported.get(from).add(to)
}

function sourceFiles(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.m?[jt]s$/.test(path))
    .map((path) => join(folder, path))
}
