import { fork } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
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
 * @param {TestSession} session @param {Place} place
 * @returns {Promise<{ outcome: 'caught' | 'hangs' | 'not compiled' | 'survives', file: string, kind: string, line: number, before: string, after: string }>}
 */
export async function tryMutant(session, { file, mutant }) {
  const path = join(session.copy, file)
  const source = readFileSync(path, 'utf8')
  writeFileSync(path, applyMutant(source, mutant))
  try {
    const outcome = await outcomeOf(session, file)
    return { outcome, file, kind: mutant.kind, ...describeMutant(source, mutant) }
  } finally {
    writeFileSync(path, source)
  }
}

/** Makes sure that the tests pass where nothing is mutated. @param {string} copy @param {string} name of the package's folder */
export async function checkUnchanged(copy, name) {
  const built = await build(copy, name)
  const tested = await runCommand(
    [process.execPath, 'node_modules/vitest/vitest.mjs', '--run', '--project', name, '--reporter=dot'],
    { cwd: copy, timeoutMs: 5 * timeoutMs, env: { CI: 'true' } },
  )
  for (const { status, stdout, stderr } of [built, tested])
    if (status !== 0)
      throw new Error(`${name} does not pass its tests as it is:\n${stdout.slice(-2000)}${stderr.slice(-2000)}`)
}

const build = (copy, name) =>
  runCommand([process.execPath, 'node_modules/typescript/bin/tsc', '-b', `packages/${name}`], {
    cwd: copy,
    timeoutMs: 5 * timeoutMs,
  })

async function outcomeOf(session, file) {
  const built = await build(session.copy, session.name)
  return built.status === 0 ? await session.test(file) : 'not compiled'
}

/**
 * @typedef {object} TestSession a process that runs tests of one package in one copy
 * @property {string} copy
 * @property {string} name of the package's folder
 * @property {(file: string) => Promise<'caught' | 'hangs' | 'survives'>} test
 * @property {() => void} close
 */

/** @param {string} copy @param {string} name of the package's folder @returns {TestSession} */
export function createTestSession(copy, name) {
  const script = fileURLToPath(new URL('test-session.mjs', import.meta.url))
  let child
  const close = () => {
    // With the processes that it has started, which a loop keeps from ending.
    if (child !== undefined && child.exitCode === null) killGroup(child.pid)
    child = undefined
  }
  const start = async () => {
    // Of a group of its own, so that all of it can be ended.
    child = fork(script, [name], { cwd: copy, detached: true, stdio: 'ignore', env: { ...process.env, CI: 'true' } })
    await answerOf(child)
  }
  return {
    copy,
    name,
    close,
    async test(file) {
      if (child === undefined) await start()
      child.send(join(copy, file))
      const answer = await answerOf(child)
      if (answer === undefined) close()
      if (answer?.isPassed === true) return 'survives'
      return answer === undefined ? 'hangs' : 'caught'
    },
  }
}

/** @returns {Promise<{ isPassed?: boolean } | undefined>} undefined: none in time, or the process has ended */
function answerOf(child) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => settle(undefined), timeoutMs)
    const settle = (answer) => {
      clearTimeout(timer)
      child.removeAllListeners()
      resolve(answer)
    }
    child.once('message', settle)
    child.once('exit', () => settle(undefined))
  })
}

function killGroup(processId) {
  try {
    process.kill(-processId, 'SIGKILL')
  } catch {}
}
