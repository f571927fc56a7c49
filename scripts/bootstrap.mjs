import '../apps/cli/bin/require-node.cjs'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { listPublished, root } from './workspace.mjs'

export { root }
const stampFile = `${root}/node_modules/.mk-installed`

/**
 * Installs when the lockfile differs from what was last installed, then builds what has changed, unless `build` is false.
 * @param devices whether what tests and GPUs need is to be there: over 500 MB that a merge on the CPU does without
 */
export function bootstrap({ devices = true, build = true } = {}) {
  const lockHash = createHash('sha256')
    .update(readFileSync(`${root}/pnpm-lock.yaml`))
    .digest('hex')
  const [hash, extent] = readStamp()
  const hasDevices = hash === lockHash && extent === 'devices'
  if (hash !== lockHash || (devices && !hasDevices)) {
    const { packageManager } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
    const filter = devices ? [] : ['--filter=!./tests/*']
    if (!isLinkedAtRoot()) rmSync(`${root}/node_modules/.modules.yaml`, { force: true })
    const args = ['-y', packageManager, 'install', '--frozen-lockfile', ...filter]
    must('npx', args, { shell: process.platform === 'win32' })
    writeFileSync(stampFile, `${lockHash}\n${devices ? 'devices' : 'small'}`)
  }
  if (!build) return
  must(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, '-b'])
  must(process.execPath, [`${root}/scripts/bundle.mjs`])
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

/**
 * Whether the packages are at the root, where pnpm puts them (`publicHoistPattern`): what was installed before they were has to
 * be forgotten, else pnpm takes it for complete.
 */
const isLinkedAtRoot = () =>
  listPublished().every(({ manifest }) => existsSync(`${root}/node_modules/${manifest.name}`))

/** The hash of the lockfile that was installed, and how much of it. */
function readStamp() {
  try {
    return readFileSync(stampFile, 'utf8').split('\n')
  } catch {
    return []
  }
}
