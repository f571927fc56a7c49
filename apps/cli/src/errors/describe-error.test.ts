import { ConfigError } from '@mk/config'
import { MergeError } from '@mk/merge'
import { MethodError } from '@mk/methods'
import { describe, expect, it } from 'vitest'
import { describeError, statusOf, UsageError } from './describe-error.ts'

const config = new ConfigError([{ code: 'invalid-yaml', reason: 'it is not', path: [], position: undefined }])
const cause = new Error('ENOSPC')
const failed = new MergeError(
  { code: 'write-failed', file: 'out/model.safetensors', reason: 'no space left' },
  { cause },
)

describe('statusOf', () => {
  it.each<[string, unknown, number]>([
    ['a config', config, 2],
    ['usage', new UsageError('no'), 2],
    [
      'a method that is not there',
      new MergeError({ code: 'unknown-method', method: 'x', nearest: undefined, where: 'a.yml:1:1' }),
      2,
    ],
    ['a module that is not there', new MethodError({ code: 'module-not-found', module: './x.mjs', path: '/x.mjs' }), 2],
    ['a merge that failed', failed, 1],
    ['what nobody foresaw', new TypeError('x is undefined'), 1],
    ['what is no error', 'oops', 1],
  ])('of %s', (_, error, status) => expect(statusOf(error)).toBe(status))
})

describe('describeError', () => {
  it('is the message, and a hint where there is one', () => {
    expect(describeError(config, { verbose: false })).toBe('error: config: not valid YAML: it is not')
    expect(describeError(failed, { verbose: false })).toMatch(
      /^error: can't write out\/model.safetensors: no space left\nThe partial output was deleted; free some space/,
    )
  })

  it('shows stacks and causes to who asks for them', () => {
    const text = describeError(failed, { verbose: true })
    expect(text).toContain('describe-error.test.ts')
    expect(text).toContain('Error: ENOSPC')
  })

  it('shows the stack of what nobody foresaw', () => {
    const text = describeError(new TypeError('x is undefined'), { verbose: false })
    expect(text).toMatch(
      /^error: x is undefined \(this was not foreseen; please report it\)\nTypeError: x is undefined\n\s+at /,
    )
    expect(describeError('oops', { verbose: false })).toBe('error: oops')
  })
})
