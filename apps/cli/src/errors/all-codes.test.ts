import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { collectRules } from '../../../../scripts/issue-rules.mjs'
import { statusOf } from './describe-error.ts'
import { exitStatus } from './exit-status.ts'
import { hints } from './hints.ts'

const root = new URL('../../../../', import.meta.url)
const rules = await collectRules()
const codes = rules.map(({ code }) => code)

/** The names of the error classes that the sources of a package define. */
function definedClasses(folder: URL): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.test\.ts$|__fixtures__/.test(path))
    .flatMap((path) => [
      ...readFileSync(new URL(path, folder), 'utf8').matchAll(/^(?:export )?class (\w+) extends (\w+)/gm),
    ])
    .filter(([, name, base]) => base === 'defineError' || name!.endsWith('Error'))
    .map(([, name]) => name!)
}

describe('the errors of all packages', () => {
  it('are known here: every class is made from a table and exported', () => {
    const defined = ['packages', 'apps'].flatMap((group) =>
      readdirSync(new URL(`${group}/`, root)).flatMap((name) => definedClasses(new URL(`${group}/${name}/src/`, root))),
    )
    expect([...new Set(rules.map(({ className }) => className))].toSorted()).toEqual(defined.toSorted())
  })

  it('have codes that no other package has', () => {
    expect(codes.filter((code, index) => codes.indexOf(code) !== index)).toEqual([])
  })

  it.each(rules.map((rule) => [rule.code, rule] as const))('%s ends with the status of its fault', (_, rule) => {
    expect(['usage', 'failure']).toContain(rule.fault)
    expect(statusOf(rule.error)).toBe(rule.fault === 'usage' ? 2 : 1)
    // Else docs/errors.md has nothing to show.
    expect(rule.error?.message).not.toMatch(/(?<!are )undefined|\[object|^$/)
  })
})

describe('hints', () => {
  it('are for codes that there are', () => {
    expect(Object.keys(hints).filter((code) => !codes.includes(code))).toEqual([])
  })

  it('are sentences', () => {
    for (const hint of Object.values(hints)) expect(hint).toMatch(/^\S.*\.$/)
  })
})

it('statuses are those of docs/decisions/exit-statuses.md', () => {
  const decision = readFileSync(new URL('docs/decisions/exit-statuses.md', root), 'utf8')
  const listed = [...decision.matchAll(/^\| (\d+)(?:, (\d+))? \|/gm)].flatMap(([, ...statuses]) => statuses)
  expect(listed.filter(Boolean).map(Number)).toEqual(Object.values(exitStatus).toSorted((a, b) => a - b))
})
