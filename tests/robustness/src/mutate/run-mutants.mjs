import { fork } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../run-command.mjs'
import { applyMutant } from './find-mutants.mjs'

/**
 * @typedef {object} Answer of tests
 * @property {boolean} isPassed
 * @property {string} [by] the test that failed, and how
 * @property {boolean} [isTimeout] a test took too long, or had no turn
 */

/**
 * @typedef {object} Bench a copy of the repository in which an area is mutated, and a process that runs its tests
 * @property {(place: import('./sample.mjs').Place) => Promise<Pick<import('./results.mjs').Result, 'outcome' | 'by'>>} tryMutant
 * @property {() => void} close
 */

/**
 * Opens a bench, and makes sure of it: the tests pass where nothing is changed, and fail where a file throws.
 * @param {{ copy: string, area: import('./areas.mjs').Area, canary: string, patience: number }} options `copy` of the
 * repository; `canary`: a file that tests import; `patience`: seconds that a test may take
 * @returns {Promise<Bench>}
 */
export async function openBench({ copy, area: { name, packages }, canary, patience }) {
  const session = createTestSession(copy, name, patience)
  const build = () =>
    runCommand(
      [process.execPath, 'node_modules/typescript/bin/tsc', '-b', ...packages.map((folder) => `packages/${folder}`)],
      { cwd: copy, timeoutMs: 600_000 },
    )
  let tries = 0
  /** Throws where tests fail though nothing is changed: then they would for any mutant. */
  const expectPassed = async (path) => {
    const unchanged = await session.test(path)
    if (unchanged?.isPassed === true) return
    session.close()
    throw new Error(`${name} does not pass its tests as it is: ${unchanged?.by ?? 'they take too long'}`)
  }
  const inAnotherProcess = (path) => {
    session.close()
    return session.test(path)
  }
  const bench = {
    /** Where a mutant takes too long twice, and then the source as it is as well, the machine is busy: nothing is known. */
    async tryMutant({ file, mutant }) {
      const path = join(copy, file)
      if (++tries % 20 === 0 && (await build()).status === 0) await expectPassed(path)
      const answer = await withChanged(
        path,
        (source) => applyMutant(source, mutant),
        async () => {
          if ((await build()).status !== 0) return 'not compiled'
          const first = await session.test(path)
          return isLate(first) ? inAnotherProcess(path) : first
        },
      )
      if (answer === 'not compiled') return { outcome: answer }
      if (isLate(answer) && (await build()).status === 0 && isLate(await inAnotherProcess(path)))
        return { outcome: 'undecided' }
      return outcomeOf(answer)
    },
    close: session.close,
  }
  const built = await build()
  if (built.status !== 0) throw new Error(`${name} does not compile as it is:\n${built.stdout}`)
  await expectPassed('')
  const broken = await withChanged(
    join(copy, canary),
    (source) => `${source}\nthrow new Error('canary')\n`,
    session.test,
  )
  if (broken?.isPassed !== false) {
    session.close()
    throw new Error(`the tests of ${name} do not see what is changed in ${canary}`)
  }
  return bench
}

/** @param {Answer | undefined} answer none: the tests did not end */
const isLate = (answer) => answer === undefined || answer.isTimeout === true

/** @param {Answer | undefined} answer */
function outcomeOf(answer) {
  if (answer === undefined) return { outcome: 'hangs' }
  return answer.isPassed ? { outcome: 'survives' } : { outcome: 'caught', by: answer.by }
}

/** Changes a file while something is done. */
async function withChanged(path, change, use) {
  const source = readFileSync(path, 'utf8')
  writeFileSync(path, change(source))
  try {
    return await use(path)
  } finally {
    writeFileSync(path, source)
  }
}

/** @param {string} copy @param {string} name of the area @param {number} patience */
function createTestSession(copy, name, patience) {
  const script = fileURLToPath(new URL('test-session.mjs', import.meta.url))
  // Where no test ends for so long none ever will: vitest ends each sooner, unless it loops.
  const limitMs = patience * 3000
  let child
  const close = () => {
    // With the processes that it has started, which a loop keeps from ending.
    if (child !== undefined && child.exitCode === null) killGroup(child.pid)
    child = undefined
  }
  const start = async () => {
    // Of a group of its own, so that all of it can be ended.
    child = fork(script, [name, String(patience * 1000)], {
      cwd: copy,
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, CI: 'true' },
    })
    await answerOf(child, limitMs)
  }
  return {
    close,
    /** Runs the tests that have to do with a file; '' for all. @returns {Promise<Answer | undefined>} undefined: they do not end */
    async test(file) {
      if (child === undefined || child.exitCode !== null) await start()
      child.send(file)
      const answer = await answerOf(child, limitMs)
      if (answer === undefined) close()
      return answer
    },
  }
}

/** @returns {Promise<Answer | undefined>} undefined: none in time, or the process has ended */
function answerOf(child, limitMs) {
  return new Promise((resolve) => {
    let timer = setTimeout(() => settle(undefined), limitMs)
    const settle = (answer) => {
      clearTimeout(timer)
      child.removeAllListeners()
      resolve(answer)
    }
    child.on('message', (message) => {
      if (!message.isUnderWay) return settle(message)
      clearTimeout(timer)
      timer = setTimeout(() => settle(undefined), limitMs)
    })
    child.once('exit', () => settle(undefined))
  })
}

function killGroup(processId) {
  try {
    process.kill(-processId, 'SIGKILL')
  } catch {}
}
