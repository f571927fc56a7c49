import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../run-command.mjs'
import { applyMutant, describeMutant, findMutants } from './find-mutants.mjs'

/** A mutant that is not found out in this time loops. */
const timeoutMs = 120_000

/** @typedef {{ file: string, mutant: import('./find-mutants.mjs').Mutant }} Place */

/**
 * Lists all mutants of a package's sources, its tests and fixtures left out.
 * @param {string} root @param {string} name of the package's folder
 * @returns {Place[]}
 */
export function listMutants(root, name) {
  const folder = join('packages', name, 'src')
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.(test|d)\.ts$|__fixtures__|(^|[\\/])index\.ts$/.test(file))
    .toSorted()
    .map((file) => join(folder, file))
    .flatMap((file) => findMutants(file, readFileSync(join(root, file), 'utf8')).map((mutant) => ({ file, mutant })))
}

/** Puts a list into an order that follows from the seed. @template T @param {readonly T[]} list @param {import('../random.mjs').Random} random */
export function shuffle(list, random) {
  const rest = [...list]
  return list.map(() => rest.splice(random.below(rest.length), 1)[0])
}

/**
 * Puts a mutant into a copy of the repository, builds, and runs the tests of its package that have to do with the file.
 * @param {string} copy @param {string} name of the package's folder @param {Place} place
 * @returns {Promise<{ outcome: 'caught' | 'hangs' | 'not compiled' | 'survives', file: string, kind: string, line: number, before: string, after: string }>}
 */
export async function tryMutant(copy, name, { file, mutant }) {
  const path = join(copy, file)
  const source = readFileSync(path, 'utf8')
  writeFileSync(path, applyMutant(source, mutant))
  try {
    const outcome = await outcomeOf(copy, name, file)
    return { outcome, file, kind: mutant.kind, ...describeMutant(source, mutant) }
  } finally {
    writeFileSync(path, source)
  }
}

/** Makes sure that the tests pass where nothing is mutated. @param {string} copy @param {string} name of the package's folder */
export async function checkUnchanged(copy, name) {
  const node = (...args) =>
    runCommand([process.execPath, ...args], { cwd: copy, timeoutMs: 5 * timeoutMs, env: { CI: 'true' } })
  const built = await node('node_modules/typescript/bin/tsc', '-b', `packages/${name}`)
  const tested = await node('node_modules/vitest/vitest.mjs', '--run', '--project', name, '--reporter=dot')
  for (const { status, stdout, stderr } of [built, tested])
    if (status !== 0)
      throw new Error(`${name} does not pass its tests as it is:\n${stdout.slice(-2000)}${stderr.slice(-2000)}`)
}

async function outcomeOf(copy, name, file) {
  const node = (...args) => runCommand([process.execPath, ...args], { cwd: copy, timeoutMs, env: { CI: 'true' } })
  const built = await node('node_modules/typescript/bin/tsc', '-b', `packages/${name}`)
  if (built.status !== 0) return 'not compiled'
  const tested = await node(
    'node_modules/vitest/vitest.mjs',
    'related',
    file,
    '--run',
    '--project',
    name,
    '--bail=1',
    '--reporter=dot',
  )
  if (tested.timedOut) return 'hangs'
  return tested.status === 0 ? 'survives' : 'caught'
}
