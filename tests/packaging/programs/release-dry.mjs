// A release to a registry on 127.0.0.1, and what strangers do with it: npm run release:dry. It packs every package, has publint and
// "are the types wrong" look at the tarballs, publishes them, installs from there into empty projects, checks the types of every
// example of a README and runs it, and merges. With --full on Node 20 and 24, by npm, pnpm and Yarn, and on Bun and Deno; without it
// on this Node by npm and pnpm. --keep leaves the folder.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bootstrap } from '../../../scripts/bootstrap.mjs'
import { listPublished, root } from '../../../scripts/workspace.mjs'
import { checkTarball } from '../src/dry-release/check-tarball.mjs'
import { listPages } from '../src/dry-release/examples.mjs'
import { installPages, runPages, typeCheckPages, writePages } from '../src/dry-release/pages.mjs'
import { startRegistry } from '../src/dry-release/registry.mjs'
import { createSteps, mapSome, runCommand } from '../src/dry-release/steps.mjs'
import { createEnvironment, fetchNode } from '../src/dry-release/strangers.mjs'
import { mergeAsStranger } from '../src/dry-release/merge.mjs'

const { values: flags } = parseArgs({
  options: { full: { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
})
bootstrap()
const folder = mkdtempSync(join(tmpdir(), 'mk-release-'))
const steps = createSteps(console.log)
const packages = listPublished()
const pages = listPages(packages)
const tarballs = join(folder, 'tarballs')
const tarballOf = ({ name, version }) => join(tarballs, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`)
const nodesOf = (versions) =>
  mapSome(versions, 1, async (version) => ({ name: `Node ${version}`, node: await fetchNode(version) }))
let registry
try {
  if (await steps.run('every package packs', pack)) await checkAndPublish()
} finally {
  registry?.close()
  if (flags.keep) console.log(folder)
  else rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}
process.exitCode = steps.finish() ? 0 : 1

async function pack() {
  mkdirSync(tarballs)
  const pnpm = join(root, 'node_modules/pnpm/bin/pnpm.cjs')
  const filters = packages.map(({ directory }) => `--filter=./${directory}`)
  await runCommand(process.execPath, [pnpm, '-r', ...filters, 'pack', '--pack-destination', tarballs], { cwd: root })
  return `${readdirSync(tarballs).length} tarballs`
}

async function checkAndPublish() {
  await steps.run('publint and the types find nothing', async () => {
    const found = await mapSome(packages, 1, async ({ manifest }) =>
      (await checkTarball(tarballOf(manifest), manifest)).map((line) => `${manifest.name}: ${line}`),
    )
    if (found.flat().length > 0) throw new Error(found.flat().join('\n'))
  })
  const isPublished = await steps.run('every package is published', async () => {
    registry = await startRegistry(join(folder, 'registry'))
    const env = { ...process.env, [`npm_config_//${new URL(registry.url).host}/:_authToken`]: 'nobody' }
    await mapSome(packages, 2, ({ manifest }) =>
      runCommand('npm', ['publish', tarballOf(manifest), '--registry', registry.url, '--provenance=false'], {
        env,
        cwd: folder,
      }),
    )
  })
  if (!isPublished) return
  const nodes = flags.full
    ? await nodesOf(['20', '24'])
    : [{ name: `Node ${process.versions.node}`, node: process.execPath }]
  for (const [index, { name, node }] of nodes.entries()) {
    const home = join(folder, `node-${index}`)
    const env = await createEnvironment(home, registry.url, node)
    for (const client of flags.full ? ['npm', 'pnpm', 'yarn'] : ['npm'])
      await steps.run(`a merge after ${client} on ${name}`, () => mergeAsStranger(join(home, client), client, env))
    const all = join(home, 'pages')
    writePages(all, pages)
    if (!(await steps.run(`what READMEs tell to install, by pnpm on ${name}`, () => installPages(all, env)))) continue
    for (const resolution of index === 0 ? ['nodenext', 'bundler'] : [])
      await steps.run(`the examples' types, ${resolution}`, () => typeCheckPages(all, resolution))
    for (const page of pages) await steps.run(`${page.directory} on ${name}`, () => runPages(all, page, ['node'], env))
  }
  if (flags.full) await tryOtherRuntimes()
}

/** Bun and Deno install by themselves, and run the examples of what pnpm installed. */
async function tryOtherRuntimes() {
  const home = join(folder, 'others')
  const env = await createEnvironment(home, registry.url, process.execPath)
  for (const client of ['bun', 'deno'])
    await steps.run(`a merge after ${client}`, () => mergeAsStranger(join(home, client), client, env))
  const all = join(folder, 'node-0/pages')
  for (const [name, ...command] of [
    ['Bun', 'npx', '-y', 'bun@1'],
    ['Deno', 'npx', '-y', 'deno@2', 'run', '-A', '--node-modules-dir=manual'],
  ])
    for (const page of pages) await steps.run(`${page.directory} on ${name}`, () => runPages(all, page, command, env))
}
