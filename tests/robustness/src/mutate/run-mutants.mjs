import { fork } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'rolldown/utils'
import { applyMutant } from './find-mutants.mjs'
import { addProbes, findBody } from './reach.mjs'

/**
 * @typedef {object} Answer of tests
 * @property {boolean} isPassed
 * @property {string} [file] of the test that failed
 * @property {string} [by] the test that failed, and how
 * @property {boolean} [isTimeout] a test took too long, or had no turn
 * @property {boolean} [isLoop] one computed for so long that it never will end
 * @property {readonly { file: string, isPassed: boolean, ms: number, by?: string }[]} [modules] what came of each file
 */

/** @typedef {import('./sample.mjs').Place} Place */
/** @typedef {Pick<import('./results.mjs').Result, 'outcome' | 'by'> & { noticedIn?: string }} Outcome */

/**
 * @typedef {object} Bench a copy of the repository in which an area is mutated, and a process that runs its tests
 * @property {(place: Place) => Promise<Outcome>} tryMutant
 * @property {(tried: readonly { place: Place, outcome: Outcome }[]) => Promise<Outcome[]>} confirm makes sure that the tests
 * which noticed pass where nothing is changed, after all of these; where they don't, each mutant is tried again by itself
 * @property {() => void} close
 */

/**
 * Opens a bench, and makes sure of it: the tests pass where nothing is changed, and fail where a file throws. Which functions
 * each file of tests calls is recorded, so that only those run for a mutant that can notice it.
 * @param {{ copy: string, area: import('./areas.mjs').Area, files: readonly string[], canary: string, patience: number, isQuick?: boolean }} options
 * `copy` of the repository; `files` that are mutated; `canary`: one that tests import; `patience`: seconds that a test may take;
 * `isQuick`: only tests that were seen to call the function run, so that some which survive would be noticed by others
 * @returns {Promise<Bench>}
 */
export async function openBench({ copy, area: { name }, files, canary, patience, isQuick = false }) {
  const reachFile = join(copy, '.reach')
  const session = createTestSession(copy, name, patience, reachFile)
  const refuse = (message) => {
    session.close()
    throw new Error(message)
  }
  /** Throws where tests fail though nothing is changed: then they would for any mutant. */
  const expectPassed = async (request) => {
    const unchanged = await session.test({ changed: [], ...request })
    if (!unchanged.isPassed) refuse(`${name} does not pass its tests as it is: ${unchanged.file ?? ''} ${unchanged.by}`)
  }
  const tests = await recordReach()
  const broken = await withChanged(join(copy, canary), breakFile, (path) => session.test({ changed: [path] }))
  if (broken.isPassed) refuse(`the tests of ${name} do not see what is changed in ${canary}`)
  return { tryMutant, confirm, close: session.close }

  /** Where a mutant takes too long twice, and then the source as it is as well, the machine is busy: nothing is known. */
  async function tryMutant(place, isFresh = false) {
    const { nearest, others, isSeenByAll } = tests.of(place)
    for (const candidates of isQuick && !isSeenByAll ? [nearest] : [nearest, others]) {
      const outcome = candidates.length === 0 ? survives : await tryTests(place, candidates, isFresh)
      if (outcome !== survives) return outcome
    }
    return survives
  }

  async function tryTests(place, candidates, isFresh) {
    const path = join(copy, place.file)
    const answer = await withChanged(
      path,
      (source) => applyMutant(source, place.mutant),
      async () => {
        const first = await session.test({ changed: [path], tests: candidates, isFresh })
        return first.isTimeout === true ? session.test({ changed: [path], tests: candidates, isFresh: true }) : first
      },
    )
    if (answer.isPassed) return survives
    if (answer.isLoop === true) return { outcome: 'hangs' }
    if (answer.isTimeout !== true) return { outcome: 'caught', by: answer.by, noticedIn: answer.file }
    const unchanged = await session.test({ changed: [], tests: candidates, isFresh: true })
    return unchanged.isPassed ? { outcome: 'hangs' } : { outcome: 'undecided' }
  }

  async function confirm(tried) {
    const noticed = [...new Set(tried.flatMap(({ outcome }) => outcome.noticedIn ?? []))]
    if (noticed.length === 0) return tried.map(({ outcome }) => outcome)
    const again = await session.test({ changed: [], tests: noticed, isWhole: true })
    const isSure = (file) => again.modules?.some((module) => module.file === file && module.isPassed) === true
    const outcomes = []
    for (const { place, outcome } of tried) {
      if (outcome.noticedIn === undefined || isSure(outcome.noticedIn)) {
        outcomes.push(outcome)
        continue
      }
      console.error(`${place.file}:${place.line} is tried again: ${outcome.noticedIn} failed without it, too`)
      const anew = await tryMutant(place, true)
      await expectPassed({ tests: [anew.noticedIn ?? outcome.noticedIn], isWhole: true, isFresh: true })
      outcomes.push(anew)
    }
    return outcomes
  }

  async function recordReach() {
    const sources = files.map((file) => ({ path: join(copy, file), source: readFileSync(join(copy, file), 'utf8') }))
    const bodies = new Map()
    let count = 0
    for (const { path, source } of sources) {
      const probed = addProbes(path, source, count)
      count += probed.bodies.length
      bodies.set(path, probed.bodies)
      writeFileSync(path, probed.text)
    }
    const changed = sources.map(({ path }) => path)
    const recorded = await session.test({ changed, isWhole: true, isFresh: true }).finally(() => {
      for (const { path, source } of sources) writeFileSync(path, source)
    })
    if (recorded.modules === undefined) refuse(`the tests of ${name} do not end: ${recorded.by}`)
    // A probe may be in the way of a test, of nothing else.
    const inTheWay = recorded.modules.filter(({ isPassed }) => !isPassed).map(({ file }) => file)
    await expectPassed({
      tests: inTheWay.length > 0 ? inTheWay : [recorded.modules[0].file],
      isWhole: true,
      isFresh: true,
    })
    const reached = readFileSync(reachFile, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    rmSync(reachFile)
    const atLoad = new Set(reached.flatMap(({ loading }) => loading))
    const costs = new Map(recorded.modules.map(({ file, ms }) => [file, ms]))
    const related = new Map()
    for (const path of changed) related.set(path, await session.relatedTo(path))
    return { of }

    /**
     * Files of tests that can notice a mutant, those beside it first, then the quick ones: those which were seen to call the
     * function, and the others that import its file. What a process or thread of a test calls is not seen.
     */
    function of({ file, mutant }) {
      const path = join(copy, file)
      const body = findBody(bodies.get(path), mutant)
      // What runs as a file is loaded is seen by all that import it.
      const isSeenByAll = body === undefined || atLoad.has(body.id)
      const seen = isSeenByAll
        ? []
        : [...inTheWay, ...reached.filter(({ running }) => running.includes(body.id)).map((one) => one.file)]
      const found = new Set(seen)
      const own = basename(file).replace(/ts$/, '')
      const distance = (test) => (basename(test).startsWith(own) ? 0 : dirname(test) === dirname(path) ? 1 : 2)
      const ordered = (files) => files.toSorted((a, b) => distance(a) - distance(b) || costs.get(a) - costs.get(b))
      const others = related.get(path).filter((one) => !found.has(one))
      return { nearest: ordered([...found]), others: ordered(others), isSeenByAll }
    }
  }
}

/** @type {Outcome} */
const survives = { outcome: 'survives' }

const breakFile = (source) => `${source}\nthrow new Error('canary')\n`

/** Changes a file while something is done, and what it is built to, which other processes and threads run. */
async function withChanged(path, change, use) {
  const source = readFileSync(path, 'utf8')
  const built = path.replace(/\/src\//, '/dist/').replace(/\.ts$/, '.js')
  const before = readFileSync(built, 'utf8')
  const changed = change(source)
  writeFileSync(path, changed)
  const { code } = transformSync(path, changed, {
    typescript: { onlyRemoveTypeImports: true, rewriteImportExtensions: true },
  })
  writeFileSync(built, code)
  try {
    return await use(path)
  } finally {
    writeFileSync(path, source)
    writeFileSync(built, before)
  }
}

/** @param {string} copy @param {string} name of the area @param {number} patience @param {string} reachFile */
function createTestSession(copy, name, patience, reachFile) {
  const script = fileURLToPath(new URL('test-session.mjs', import.meta.url))
  let child
  const close = () => {
    // With the processes that it has started, which a loop keeps from ending.
    if (child !== undefined && child.exitCode === null) killGroup(child.pid)
    child = undefined
  }
  const ask = async (request) => {
    if (child === undefined || child.exitCode !== null) {
      // Of a group of its own, so that all of it can be ended.
      child = fork(script, [name, String(patience)], {
        cwd: copy,
        detached: true,
        stdio: 'ignore',
        // Packages are tested with the sources of one another, which is where mutants are.
        env: { ...process.env, CI: 'true', MK_TEST_BUILT: '0', MK_REACH: reachFile },
      })
      await answerOf(child, patience * 20_000)
    }
    child.send(request)
    // It ends what takes too long itself, unless it can't.
    const answer = await answerOf(child, patience * 6000)
    if (answer === undefined) close()
    return answer ?? { isPassed: false, by: 'no answer', isTimeout: true }
  }
  return {
    close,
    /** @param {import('./test-session.mjs').Request} request @returns {Promise<Answer>} */
    test: ask,
    /** @param {string} file @returns {Promise<readonly string[]>} files of tests that import it */
    relatedTo: async (file) => (await ask({ relatedTo: file })).related ?? [],
  }
}

/** @returns {Promise<any>} undefined: none in time, or the process has ended */
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
