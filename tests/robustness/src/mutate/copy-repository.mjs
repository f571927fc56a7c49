import { appendFileSync, cpSync, lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { recorder } from './reach.mjs'

/** What is only read. */
const linked = new Set(['goldens', 'examples', 'docs'])
const left = new Set(['.git', '.turbo', 'node_modules', '.ci', '.changeset'])

/**
 * Copies the repository with its builds, so that its sources may be changed; installed packages are those of the original.
 * @param {string} root @param {string} to
 */
export function copyRepository(root, to) {
  mkdirSync(to, { recursive: true })
  for (const name of readdirSync(root)) {
    if (left.has(name)) continue
    if (linked.has(name)) symlinkSync(join(root, name), join(to, name))
    else
      cpSync(join(root, name), join(to, name), {
        recursive: true,
        verbatimSymlinks: true,
        preserveTimestamps: true,
        filter: isWanted,
      })
  }
  appendFileSync(join(to, 'scripts/test-setup.mjs'), recorder)
  linkPackages(join(root, 'node_modules'), join(to, 'node_modules'))
}

const isWanted = (path) => !['.vite', 'corpus'].includes(basename(path))

/** Relative links stay, so that packages of this repository are those of the copy. */
function linkPackages(from, to) {
  mkdirSync(to)
  for (const name of readdirSync(from)) {
    const path = join(from, name)
    if (lstatSync(path).isSymbolicLink()) symlinkSync(readlinkSync(path), join(to, name))
    else if (name.startsWith('@')) linkPackages(path, join(to, name))
    else if (name !== '.vite') symlinkSync(path, join(to, name))
  }
}
