// Imports between packages go downward only, in the order of layers.json, never to another package of the same layer; each
// package stands as low as its imports let it, so that the table tells what they are; and what must run in a browser, be it a
// package or one of its faces with all that it reaches (`merge/plan`), imports nothing of Node's outside src/node.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { layers, exceptions, withoutNode } = JSON.parse(readFileSync(new URL('layers.json', import.meta.url), 'utf8'))
const depthOf = (name) => layers.findIndex((layer) => layer.includes(name))
const importPattern =
  /(?:\b(?:import|export)\s+(?<type>type\s)?[\w\s{},*$]*?\bfrom|\bimport)\s*\(?\s*(['"])(?<specifier>[^'"\n]+)\2/g
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
for (const face of withoutNode.filter((name) => name.includes('/'))) checkFace(face)
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
  for (const { specifier, isType, where } of importsOf(file)) {
    checkLayer(name, where, specifier)
    if (!forBrowsers) continue
    const ownNodePart =
      specifier.startsWith('.') && relative(folder, join(dirname(file), specifier)).startsWith(join('src', 'node'))
    if (ownNodePart || needsNode(specifier, isType))
      problems.push(`${where}: imports '${specifier}', but @mk/${name} also runs in browsers; move it under src/node`)
  }
}

/** Goes through all that a face imports of its own package. */
function checkFace(face) {
  const [name, ...rest] = face.split('/')
  const folder = join(root, 'packages', name)
  const entry = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).exports[`./${rest.join('/')}`]
  if (entry === undefined) return problems.push(`scripts/layers.json: @mk/${name} has no export './${rest.join('/')}'`)
  const reached = new Set([join(folder, entry['mk-source'])])
  for (const file of reached) {
    for (const { specifier, isType, where } of importsOf(file)) {
      if (specifier.startsWith('.') && !isType) reached.add(resolve(dirname(file), specifier))
      else if (needsNode(specifier, isType))
        problems.push(`${where}: imports '${specifier}', but @mk/${face}, which reaches it, also runs in browsers`)
    }
  }
}

function needsNode(specifier, isType) {
  if (isBuiltin(specifier)) return true
  const own = /^@mk\/(.+)/.exec(specifier)?.[1]
  return (
    own !== undefined &&
    !isType &&
    !withoutNode.some((name) => own === name || (own.startsWith(`${name}/`) && !own.endsWith('/node')))
  )
}

function importsOf(file) {
  const text = readFileSync(file, 'utf8').replace(comments, (comment) => comment.replace(/[^\n]/g, ' '))
  return [...text.matchAll(importPattern)].map(({ groups: { specifier, type }, index }) => ({
    specifier,
    isType: type !== undefined,
    where: `${relative(root, file)}:${text.slice(0, index).split('\n').length}`,
  }))
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
