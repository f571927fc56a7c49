// Writes into every package.json what all of them have in common, from manifests.json: npm run manifests. With --check it only
// compares, for the lint step.
import { readFileSync, writeFileSync } from 'node:fs'
import { listMembers, root } from './workspace.mjs'

const common = JSON.parse(readFileSync(new URL('manifests.json', import.meta.url), 'utf8'))
const members = listMembers()
const order = [
  'name version private description keywords license author repository homepage bugs',
  'type sideEffects engines packageManager bin exports files publishConfig scripts',
].flatMap((names) => names.split(' '))
const isCheck = process.argv.includes('--check')
for (const { directory, manifest } of [{ directory: '.', manifest: readRoot() }, ...members]) {
  const file = `${root}/${directory}/package.json`
  const text = `${JSON.stringify(inOrder(complete(directory, manifest)), undefined, 2)}\n`
  if (sameValue(text, readFileSync(file, 'utf8'))) continue
  if (isCheck) {
    console.error(`${directory}/package.json: not as scripts/manifests.json has it; npm run manifests writes it`)
    process.exitCode = 1
  } else {
    writeFileSync(file, text)
    console.log(`wrote ${directory}/package.json`)
  }
}

function readRoot() {
  return JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
}

/** What lays out text is the formatter's; here keys and values count, and their order. */
function sameValue(one, other) {
  return JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other))
}

function complete(directory, manifest) {
  const { license, engines } = common
  if (directory === '.') return { ...manifest, license, engines, repository: repositoryOf() }
  const scripts = Object.fromEntries(
    Object.entries(common.scripts).map(([name, line]) => [name, line.replaceAll('{name}', directory.split('/')[1])]),
  )
  if (manifest.private === true) {
    const few = Object.fromEntries(common.privateScripts.map((name) => [name, scripts[name]]))
    const completed = { ...manifest, license, engines, type: 'module', scripts: { ...manifest.scripts, ...few } }
    return directory === common.dependentOnAll ? withAllPackages(completed) : completed
  }
  const own = Object.entries(manifest.scripts ?? {}).filter(([name]) => !(name in scripts))
  return {
    ...manifest,
    keywords: union(manifest.keywords, common.keywords),
    license,
    author: common.author,
    repository: { ...repositoryOf(), directory },
    homepage: `${common.repository}/tree/main/${directory}#readme`,
    bugs: `${common.repository}/issues`,
    type: 'module',
    sideEffects: manifest.sideEffects ?? false,
    engines,
    files: union(common.files, manifest.files),
    publishConfig: common.publishConfig,
    scripts: { ...scripts, ...Object.fromEntries(own) },
  }
}

/** What tests all packages, and the documents, has them as dependencies: a change of any of them is a change for it. */
function withAllPackages(manifest) {
  const others = Object.entries(manifest.devDependencies).filter(([name]) => !name.startsWith('@mk/'))
  const own = members.filter(({ manifest: { private: isPrivate } }) => isPrivate !== true)
  const all = [...own.map(({ manifest: { name } }) => [name, 'workspace:*']), ...others]
  return {
    ...manifest,
    scripts: { ...manifest.scripts, test: `${manifest.scripts.test} --project documents` },
    devDependencies: Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  }
}

function repositoryOf() {
  return { type: 'git', url: `git+${common.repository}.git` }
}

function union(some = [], others = []) {
  return [...new Set([...some, ...others])]
}

function inOrder(manifest) {
  const known = order.filter((key) => key in manifest)
  const rest = Object.keys(manifest).filter((key) => !order.includes(key))
  return Object.fromEntries([...known, ...rest].map((key) => [key, manifest[key]]))
}
