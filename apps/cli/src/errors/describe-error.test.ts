import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { defineError, defineIssues, failure, packError, unpackError, usage } from '@mk/errors'
import { describeError, statusOf } from './describe-error.ts'
import { explainFewFiles } from './open-files-limit.ts'

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

function errorOf(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('no error')
}
const namedAs = (error: Error, path: string) => Object.assign(Object.create(error) as Error, { path })

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

  it('says what the system refused, and of which file, without a stack', () => {
    const file = tmpdir()
    const refused = errorOf(() => readFileSync(file))
    expect(describeError(namedAs(refused, 'm/tokenizer.json'), { verbose: false })).toBe(
      'error: m/tokenizer.json: it is a folder, not a file',
    )
    expect(describeError(refused, { verbose: false })).toBe('error: read: it is a folder, not a file')
    expect(describeError(refused, { verbose: true })).toContain('describe-error.test.ts')
  })

  it('says that the limit on open files keeps the program from loading', () => {
    const missing = Object.assign(new Error("Cannot find package '@mk/params'"), { code: 'ERR_MODULE_NOT_FOUND' })
    expect(explainFewFiles(missing, () => 64)).toBe(
      'the limit on open files is 64, too low to load the program; expected at least 256 (ulimit -n 256)',
    )
    expect(explainFewFiles(missing, () => 1024)).toBeUndefined()
    expect(explainFewFiles(missing, () => undefined)).toBeUndefined()
    expect(explainFewFiles(new Error('mine'), () => 64)).toBeUndefined()
    expect(describeError(missing, { verbose: false })).toContain('this was not foreseen')
  })

  it('shows the stack of what nobody foresaw', () => {
    const text = describeError(new TypeError('x is undefined'), { verbose: false })
    expect(text).toMatch(
      /^error: x is undefined \(this was not foreseen; please report it\)\nTypeError: x is undefined\n\s+at /,
    )
    expect(describeError('oops', { verbose: false })).toBe('error: oops')
  })
})
