import { expect, test } from 'vitest'
import { MergeError } from './errors.ts'

test('what may go well another time is a failure, all else is for the user to mend', () => {
  const failures = Object.entries(MergeError.rules).filter(([, { fault }]) => fault === 'failure')
  expect(failures.map(([code]) => code).toSorted()).toEqual([
    'copy-unreadable',
    'disk-space',
    'input-changed',
    'interrupted',
    'models-unreachable',
    'output-busy',
    'output-changed',
    'output-lost',
    'parts-missing',
    'plan-outdated',
    'plan-unreadable',
    'worker-failed',
    'write-failed',
  ])
})

test('no message names a flag of a command, which other callers do not have', () => {
  const facts = new Proxy({}, { get: () => [] })
  for (const { text } of Object.values(MergeError.rules))
    expect((text as (facts: object) => string)(facts)).not.toMatch(/--\w/)
})
