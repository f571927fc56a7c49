import '../apps/cli/bin/require-node.mjs'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const stampFile = `${root}/node_modules/.mk-installed`

/** Packages that bring hundreds of megabytes for devices that a merge on the CPU does not need. */
export const devicePackages = ['@mk/runtime-cuda', '@mk/runtime-gpu']

/**
 * Installs when the lockfile differs from what was last installed, then builds what has changed.
 * @param devices packages whose devices are to be there; by default all, as tests need them
 */
export function bootstrap({ devices = devicePackages } = {}) {
  const lockHash = createHash('sha256')
    .update(readFileSync(`${root}/pnpm-lock.yaml`))
    .digest('hex')
  const [installedHash, ...installed] = readStamp()
  const isThere = installedHash === lockHash && devices.every((name) => installed.includes(name))
  if (!isThere) {
    const { packageManager } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
    const wanted = devicePackages.filter(
      (name) => devices.includes(name) || (installedHash === lockHash && installed.includes(name)),
    )
    const filters = devicePackages.filter((name) => !wanted.includes(name)).map((name) => `--filter=!${name}`)
    const args = ['-y', packageManager, 'install', '--frozen-lockfile', ...filters]
    must('npx', args, { shell: process.platform === 'win32' })
    writeFileSync(stampFile, [lockHash, ...wanted].join('\n'))
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

/** The hash of the lockfile that was installed, and the packages for devices that came with it. */
function readStamp() {
  try {
    return readFileSync(stampFile, 'utf8').split('\n')
  } catch {
    return []
  }
}
