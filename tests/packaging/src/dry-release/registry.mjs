// A registry of npm's kind on 127.0.0.1 that has what was packed here, and gets all else from the one that is configured.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from './steps.mjs'

const verdaccio = fileURLToPath(new URL('../../node_modules/verdaccio/bin/verdaccio', import.meta.url))
const longestStartMs = 60_000

/**
 * Starts it.
 * @param folder for its files
 * @returns its address, and what ends it
 */
export async function startRegistry(folder) {
  mkdirSync(folder, { recursive: true })
  const upstream = (await runCommand('npm', ['config', 'get', 'registry'], { env: process.env })).trim()
  const port = await freePort()
  const config = {
    storage: join(folder, 'storage'),
    uplinks: { upstream: { url: upstream, timeout: '60s', maxage: '1h' } },
    packages: {
      '@mk/*': { access: '$all', publish: '$all' },
      '**': { access: '$all', proxy: 'upstream' },
    },
    log: { type: 'stdout', format: 'json', level: 'warn' },
    max_body_size: '100mb',
  }
  // YAML takes JSON.
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config))
  const args = [verdaccio, '--config', join(folder, 'config.yaml'), '--listen', `127.0.0.1:${port}`]
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (complaints += text))
  const url = `http://127.0.0.1:${port}/`
  const started = performance.now()
  while (!(await answers(`${url}-/ping`))) {
    if (child.exitCode !== null || performance.now() - started > longestStartMs) {
      child.kill()
      throw new Error(`the registry doesn't start: ${complaints.slice(-2000)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return { url, close: () => child.kill() }
}

const answers = (url) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
