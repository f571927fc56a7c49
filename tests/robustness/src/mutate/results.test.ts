import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openResults, type Result } from './results.mjs'

const folder = mkdtempSync(join(tmpdir(), 'mk-results-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const result = (id: string, outcome: Result['outcome']): Result => ({
  id,
  outcome,
  file: 'a.ts',
  line: 1,
  kind: 'change constant',
  before: 'a = 1',
  after: 'a = 2',
})

test('what is known is found by the next run, in which survivors and what was not decided are tried again', () => {
  const file = join(folder, 'deep', 'results.jsonl')
  const first = openResults(file)
  for (const outcome of ['caught', 'hangs', 'not compiled', 'survives', 'undecided'] as const)
    first.add(result(outcome, outcome))
  for (const results of [first, openResults(file)]) {
    for (const known of ['caught', 'hangs', 'not compiled'] as const)
      expect(results.find(known)).toEqual(result(known, known))
    expect(results.find('survives')).toBeUndefined()
    expect(results.find('undecided')).toBeUndefined()
    expect(results.find('another')).toBeUndefined()
  }
})

test('the last result of a mutant counts, and half a line is none', () => {
  const file = join(folder, 'deep', 'results.jsonl')
  const first = openResults(file)
  first.add(result('a', 'survives'))
  first.add(result('a', 'caught'))
  appendFileSync(file, '{"id":"b","outc')
  const second = openResults(file)
  expect(second.find('a')).toEqual(result('a', 'caught'))
  expect(second.find('b')).toBeUndefined()
  expect(readFileSync(file, 'utf8')).toContain('"outc')
})

test('without a file results are kept for the run', () => {
  const results = openResults(undefined)
  results.add(result('a', 'caught'))
  expect(results.find('a')).toEqual(result('a', 'caught'))
})
