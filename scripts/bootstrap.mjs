import '../apps/cli/bin/require-node.mjs'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const stampFile = `${root}/node_modules/.mk-installed`

/**
 * Installs when the lockfile differs from what was last installed, then builds what has changed.
 * @param devices whether what GPUs need is to be there, as tests want it: 450 MB that a merge on the CPU does without
 */
export function bootstrap({ devices = true } = {}) {
  const lockHash = createHash('sha256')
    .update(readFileSync(`${root}/pnpm-lock.yaml`))
    .digest('hex')
  const [hash, extent] = readStamp()
  const hasDevices = hash === lockHash && extent === 'devices'
  if (hash !== lockHash || (devices && !hasDevices)) {
    const { packageManager } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
    const filter = devices ? [] : ['--filter=!@mk/devices']
    const args = ['-y', packageManager, 'install', '--frozen-lockfile', ...filter]
    must('npx', args, { shell: process.platform === 'win32' })
    writeFileSync(stampFile, `${lockHash}\n${devices ? 'devices' : 'small'}`)
  }
  must(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, '-b'])
}

/** Runs a command from the root with our own stdio; its exit status. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (error) throw error
  return status ?? 1
}

function must(command, args, options) {
  const status = run(command, args, options)
  if (status !== 0) {
    console.error(`${[command, ...args].join(' ')}: exit status ${status}`)
    process.exit(status)
  }
}

/** The hash of the lockfile that was installed, and how much of it. */
function readStamp() {
  try {
    return readFileSync(stampFile, 'utf8').split('\n')
  } catch {
    return []
  }
}
