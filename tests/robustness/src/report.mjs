/** How many findings of one kind are shown. */
const shownDetails = 4

/**
 * Creates the report of one program: what was tried, and what went wrong.
 * @param {string} program its name
 * @param {(line: string) => void} [print]
 */
export function createReport(program, print = console.log) {
  const startedAt = performance.now()
  /** @type {Map<string, { checks: number, kinds: Map<string, string[]> }>} */
  const scenarios = new Map()
  const scenarioOf = (name) => {
    if (!scenarios.has(name)) scenarios.set(name, { checks: 0, kinds: new Map() })
    return scenarios.get(name)
  }
  const findingCount = () =>
    sumOver(
      [...scenarios.values()].flatMap(({ kinds }) => [...kinds.values()]),
      (list) => list.length,
    )

  return {
    /** Counts something that was tried. @param {string} scenario */
    checked(scenario) {
      scenarioOf(scenario).checks++
    },
    /** @param {string} scenario @param {string} what the kind of fault @param {string} [detail] where, and how it showed */
    finding(scenario, what, detail = '') {
      const { kinds } = scenarioOf(scenario)
      kinds.set(what, [...(kinds.get(what) ?? []), detail])
    },
    /** Says why something was not tried. @param {string} scenario @param {string} why */
    skipped(scenario, why) {
      print(`  ${scenario}: skipped, ${why}`)
    },
    /** Prints a scenario with its findings. @param {string} name */
    endScenario(name) {
      const { checks, kinds } = scenarioOf(name)
      const bad = sumOver([...kinds.values()], (list) => list.length)
      print(`  ${name}: ${checks} tried, ${bad === 0 ? 'all held' : `${bad} findings`}`)
      for (const [what, details] of kinds) {
        print(`    ${details.length} × ${what}`)
        for (const detail of details.slice(0, shownDetails)) if (detail !== '') print(`        ${detail.slice(0, 400)}`)
      }
    },
    findingCount,
    /** Prints the summary. @returns the exit status */
    end() {
      const checks = sumOver([...scenarios.values()], ({ checks }) => checks)
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
      print(`${program}: ${checks} tried, ${findingCount()} findings, ${seconds} s`)
      return findingCount() === 0 ? 0 : 1
    },
  }
}

const sumOver = (list, of) => list.reduce((sum, entry) => sum + of(entry), 0)
