import { describe, expect, it } from 'vitest'
import { TensorError, type TensorIssue } from './errors.ts'

describe('TensorError', () => {
  it.each<[TensorIssue, string]>([
    [
      { code: 'wrong-kind', where: 'select', expected: 'mask', got: 'input' },
      'select: got input, expected a mask (a comparison, and, or, not, before)',
    ],
    [
      { code: 'wrong-kind', where: 'add', expected: 'expression', got: 'lt' },
      'add: got lt, expected an expression or a number',
    ],
    [{ code: 'unstable', what: 'the values' }, 'the values changed between two passes over the same elements'],
    [{ code: 'unsupported-program', runtime: 'gpu', what: 'rank' }, 'runtime gpu does not support rank'],
    [{ code: 'malformed-call', problem: 'offset is -1' }, 'kernel call: offset is -1'],
  ])('%j reads well', (issue, message) => {
    const error = new TensorError(issue)
    expect(error.message).toBe(message)
    expect(error.code).toBe(issue.code)
    expect(error.issue).toBe(issue)
  })
})
