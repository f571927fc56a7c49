import { describe, expect, test } from 'vitest'
import { faultOfEnd } from './merge-command.mjs'

const ended = { status: 0, signal: null, stdout: '', stderr: '', timedOut: false }

describe('the end of a command', () => {
  test.each([
    ['status 0', {}],
    ['an error with status 1', { status: 1, stderr: 'note: x\nerror: the disk is full\nFree some space.\n' }],
    ['an error with status 2', { status: 2, stderr: 'error: no such model\n' }],
  ])('is good: %s', (_, end) => {
    expect(faultOfEnd({ ...ended, ...end })).toBeUndefined()
  })

  test.each([
    ['it did not end in time', { status: null, signal: 'SIGKILL', timedOut: true }],
    ['it died of SIGABRT', { status: null, signal: 'SIGABRT' }],
    ['status 7', { status: 7 }],
    ['a stack trace', { status: 1, stderr: 'error: EIO\n    at read (node:fs)\n' }],
    ['a stack trace', { status: 1, stderr: 'error: EIO (this was not foreseen; please report it)\n' }],
    ['no error was printed', { status: 1, stderr: 'note: x\n' }],
    ['2 errors were printed', { status: 1, stderr: 'error: one\nerror: two\n' }],
    ['an error longer than a screen', { status: 2, stderr: `error: ${'x'.repeat(9000)}\n` }],
    ['status 0, but an error was printed', { stderr: 'error: x\n' }],
  ])('is a fault: %s', (fault, end) => {
    expect(faultOfEnd({ ...ended, ...end })).toBe(fault)
  })
})
