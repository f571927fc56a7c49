import { ConfigError, readConfig } from '@mk/config'
import { expect, it } from 'vitest'
import { CommandError } from './command-error.ts'
import { formatJsonError, formatJsonUsage } from './json-error.ts'

const parse = (text: string): unknown => JSON.parse(text)

it('tells of an error by code, fault, status and message', () => {
  const error = new CommandError({ code: 'recipe-unreadable', file: 'r.yml', reason: 'there is no such file' })
  const message = "can't read the recipe r.yml: there is no such file"
  expect(parse(formatJsonError(error, { status: 2 }))).toEqual({
    version: 1,
    error: {
      code: 'recipe-unreadable',
      fault: 'usage',
      exitStatus: 2,
      message,
      faults: [{ code: 'recipe-unreadable', message }],
      hints: [],
    },
  })
})

it('tells every fault of a recipe with its place', () => {
  const { issues } = readConfig('merge_method: linear\nmodles: []\ndtype: flaot16\n', { file: 'a:b.yml' })
  const [first, ...others] = issues
  const { error } = parse(
    formatJsonError(new ConfigError([first!, ...others]), { status: 2, recipe: { file: 'a:b.yml' } }),
  ) as {
    error: { faults: { code: string; place: unknown }[] }
  }
  expect(error.faults.length).toBe(issues.length)
  expect(error.faults).toContainEqual(
    expect.objectContaining({ code: 'unknown-key', place: { file: 'a:b.yml', line: 2, column: 1 } }),
  )
})

it('tells of what nobody foresaw, with its stacks for who asks for all', () => {
  const error = new TypeError('x is undefined', { cause: new Error('y') })
  expect(parse(formatJsonError(error, { status: 1 }))).toMatchObject({
    error: { code: 'unforeseen', fault: 'failure', message: 'x is undefined' },
  })
  expect(parse(formatJsonError(error, { status: 1, verbose: true }))).toMatchObject({
    error: { stacks: [expect.stringContaining('TypeError'), expect.stringContaining('Error: y')] },
  })
})

it('tells of a command line that can not be parsed', () => {
  expect(parse(formatJsonUsage("unknown option '--x'", 2))).toMatchObject({
    version: 1,
    error: { code: 'command-line', fault: 'usage', exitStatus: 2, message: "unknown option '--x'" },
  })
})
