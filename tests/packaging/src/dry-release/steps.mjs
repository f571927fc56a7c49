// Runs commands as steps that are told with their seconds, and keeps count of what failed.
import { spawn } from 'node:child_process'

const longestMs = 600_000

/**
 * Runs a command to its end.
 * @returns what it printed, to both
 * @throws Error with the last lines that it printed where its status is not 0
 */
export function runCommand(command, args, { cwd, env, input } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), longestMs)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    if (input !== undefined) child.stdin.end(input)
    child.on('error', reject)
    child.on('close', (status, signal) => {
      clearTimeout(timer)
      if (status === 0) resolve(output)
      else reject(new Error(`${[command, ...args].join(' ')}: ${signal ?? `status ${status}`}\n${lastLines(output)}`))
    })
  })
}

const lastLines = (text) => text.trimEnd().split('\n').slice(-30).join('\n')

/** Creates a list of steps; each prints a line when it is done. */
export function createSteps(print) {
  let passed = 0
  const failures = []
  return {
    /** Runs one; what it returns is told beside its name, and an error is kept. @returns whether it passed */
    async run(name, act) {
      const started = performance.now()
      try {
        const told = await act()
        passed++
        print(`ok   ${name}${told === undefined ? '' : `: ${told}`} (${seconds(started)} s)`)
        return true
      } catch (error) {
        failures.push(name)
        print(`FAIL ${name} (${seconds(started)} s)\n${indented(error.message)}`)
        return false
      }
    },
    finish() {
      print(`${passed} passed, ${failures.length} failed`)
      return failures.length === 0 && passed > 0
    },
  }
}

const seconds = (started) => ((performance.now() - started) / 1000).toFixed(1)
const indented = (text) => text.replaceAll(/^/gm, '     ')

/** Does something with each of a list, so many at a time. @returns the results in their order */
export async function mapSome(items, atOnce, act) {
  const results = []
  const queue = items.entries()
  const work = async () => {
    for (const [index, item] of queue) results[index] = await act(item)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return results
}
