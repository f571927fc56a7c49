// Builds a small server with each bundler, moves it away from node_modules, and lets it merge: npm run test:bundles [NAME …]
import { execFileSync } from 'node:child_process'
import { deepStrictEqual } from 'node:assert'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootstrap, root } from '../../../scripts/bootstrap.mjs'
import { apps, bundlers } from '../src/bundlers.mjs'
import { mergeByBundle, mergeByServer, mergeHere } from '../src/merge-by-server.mjs'

bootstrap()
const all = [...Object.keys(bundlers), 'next']
const names = process.argv.length > 2 ? process.argv.slice(2) : all
const unknown = names.find((name) => !all.includes(name))
if (unknown !== undefined) throw new Error(`'${unknown}' is none of ${all.join(', ')}`)

if (names.some((name) => ['webpack', 'next'].includes(name))) {
  const pnpm = join(root, 'node_modules/pnpm/bin/pnpm.cjs')
  run([pnpm, 'install', '--ignore-workspace', '--frozen-lockfile', '--prefer-offline', '--silent'], apps)
}

const expected = await mergeHere()
let failed = 0
for (const name of names) {
  const startedAt = performance.now()
  try {
    for (const digests of name === 'next' ? await mergeByNext() : await mergeBy(bundlers[name]))
      deepStrictEqual(digests, expected)
    console.log(
      `${name}: two threads and none, the same bytes (${Math.round((performance.now() - startedAt) / 1000)} s)`,
    )
  } catch (error) {
    failed++
    console.log(`${name}: ${error.stack}`)
  }
}
process.exitCode = failed === 0 ? 0 : 1

async function mergeBy(build) {
  const folder = mkdtempSync(join(tmpdir(), 'bundles-'))
  try {
    await build(folder)
    return await mergeByBundle(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** As `next build` and `next start` are without any configuration. */
async function mergeByNext() {
  const cli = createRequire(join(apps, 'package.json')).resolve('next/dist/bin/next')
  const cwd = join(apps, 'next')
  run([cli, 'build'], cwd)
  return mergeByServer(
    [cli, 'start', '--hostname', '127.0.0.1', '--port', '0'],
    cwd,
    /127\.0\.0\.1:(\d+)/,
    '/api/merge',
  )
}

function run(args, cwd) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' }
  try {
    execFileSync(process.execPath, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    throw new Error(`${args.join(' ')} failed:\n${error.stdout}${error.stderr}`, { cause: error })
  }
}
