import { describe, expect, it } from 'vitest'
import { defineError, defineIssues, failure, packError, unpackError, usage } from '@mk/errors'
import { describeError, statusOf } from './describe-error.ts'

class TeaError extends defineError(
  'TeaError',
  defineIssues({
    'no-such-cup': usage<{ readonly cup: string }>(({ cup }) => `there is no cup '${cup}'`),
    'write-failed': failure<{ readonly file: string }>(({ file }) => `can't write ${file}`),
  }),
) {}
const mended = new TeaError({ code: 'no-such-cup', cup: 'blue' })
const cause = new Error('ENOSPC')
const failed = new TeaError({ code: 'write-failed', file: 'out/model.safetensors' }, { cause })

describe('statusOf', () => {
  it.each<[string, unknown, number]>([
    ['what the user mends', mended, 2],
    ['the same from a worker thread', unpackError(structuredClone(packError(mended))), 2],
    ['a merge that failed', failed, 1],
    ['what nobody foresaw', new TypeError('x is undefined'), 1],
    ['an error of the system', Object.assign(new Error('no'), { code: 'no-such-cup', fault: 'usage' }), 1],
    ['what is no error', 'oops', 1],
  ])('of %s', (_, error, status) => expect(statusOf(error)).toBe(status))
})

describe('describeError', () => {
  it('is the message, and a hint where there is one', () => {
    expect(describeError(mended, { verbose: false })).toBe(`error: there is no cup 'blue'`)
    expect(describeError(failed, { verbose: false })).toMatch(
      /^error: can't write out\/model.safetensors\nFree some space/,
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
