/**
 * Creates what runs checks one after the other, and counts them.
 * @param {(line: string) => void} print @param {string} [match] what the names of those that are run have in them
 */
export function createChecks(print, match = '') {
  let passed = 0
  const failed = []
  return {
    /** @param {string} name @param {() => Promise<string | void>} run throws what is wrong; gives a note */
    async check(name, run) {
      if (!name.includes(match)) return
      const started = performance.now()
      try {
        const note = await run()
        passed++
        print(`✓ ${name}${note ? ` (${note})` : ''} ${((performance.now() - started) / 1000).toFixed(1)} s`)
      } catch (error) {
        failed.push(name)
        print(`✗ ${name}\n${String(error.stack ?? error).replace(/^/gm, '    ')}`)
      }
    },
    /** @returns whether all held */
    finish() {
      print(`${passed} passed, ${failed.length} failed`)
      return failed.length === 0
    },
  }
}

/** @param {boolean} holds @param {string} message */
export function expect(holds, message) {
  if (!holds) throw new Error(message)
}

/** Asks again and again until there is an answer. @param {() => unknown} ask @param {{ what: string, timeoutMs?: number, everyMs?: number }} options */
export async function until(ask, { what, timeoutMs = 120_000, everyMs = 100 }) {
  const end = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer) return answer
    if (performance.now() > end) throw new Error(`${timeoutMs / 1000} s are over: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
