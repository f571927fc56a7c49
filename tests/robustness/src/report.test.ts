import { expect, test } from 'vitest'
import { createReport } from './report.mjs'

test('a report without findings ends with 0, one with findings with 1 and the kinds of them', () => {
  const lines: string[] = []
  const report = createReport('trial', (line) => lines.push(line))
  report.checked('good')
  report.endScenario('good')
  expect(report.end()).toBe(0)
  report.checked('bad')
  report.finding('bad', 'a hang', 'case 7')
  report.finding('bad', 'a hang', 'case 9')
  report.endScenario('bad')
  expect(report.end()).toBe(1)
  expect(lines.join('\n')).toContain('bad: 1 tried, 2 findings\n    2 × a hang\n        case 7\n        case 9')
  expect(lines.at(-1)).toMatch(/^trial: 2 tried, 2 findings, \d+ s$/)
})
