import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const stampFile = `${root}/node_modules/.mk-installed`

/** Installs when the lockfile differs from what was last installed, then builds what has changed. */
export function bootstrap() {
  const lockHash = createHash('sha256')
    .update(readFileSync(`${root}/pnpm-lock.yaml`))
    .digest('hex')
  if (installedHash() !== lockHash) {
    const { packageManager } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'))
    must('npx', ['-y', packageManager, 'install', '--frozen-lockfile'], { shell: process.platform === 'win32' })
    writeFileSync(stampFile, lockHash)
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

function installedHash() {
  try {
    return readFileSync(stampFile, 'utf8')
  } catch {
    return undefined
  }
}
