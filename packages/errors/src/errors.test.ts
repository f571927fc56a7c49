import { describe, expect, it } from 'vitest'
import { defineError, defineIssues, failure, hasCode, type IssueOf, issueErrorOf, usage } from './index.ts'

const rules = defineIssues({
  'no-such-cup': usage<{ readonly cup: string }>(({ cup }) => `there is no cup '${cup}'`),
  'kettle-cold': failure(() => 'the kettle is cold'),
})
class TeaError extends defineError('TeaError', rules) {}
type TeaIssue = IssueOf<typeof rules>

describe('an error class made from a table', () => {
  it('takes message and fault from the rule of the code, and keeps the facts', () => {
    const cause = new Error('why')
    const error = new TeaError({ code: 'no-such-cup', cup: 'blue' }, { cause })
    expect(error).toMatchObject({ name: 'TeaError', code: 'no-such-cup', fault: 'usage', cause })
    expect(error.message).toBe("there is no cup 'blue'")
    expect(error.issue).toEqual({ code: 'no-such-cup', cup: 'blue' })
    expect(error).toBeInstanceOf(TeaError)
    expect(String(error)).toBe("TeaError: there is no cup 'blue'")
    expect(new TeaError({ code: 'kettle-cold' }).fault).toBe('failure')
  })

  it('puts a prefix before the text', () => {
    expect(new TeaError({ code: 'kettle-cold' }, { prefix: 'kitchen' }).message).toBe('kitchen: the kettle is cold')
  })

  it('puts a suffix after it', () => {
    const error = new TeaError({ code: 'kettle-cold' }, { suffix: '\nand the cup is empty' })
    expect(error.message).toBe('the kettle is cold\nand the cup is empty')
  })

  it('has its rules on it, for whoever walks all codes', () => {
    expect(Object.entries(TeaError.rules).map(([code, { fault }]) => [code, fault])).toEqual([
      ['no-such-cup', 'usage'],
      ['kettle-cold', 'failure'],
    ])
  })

  it('narrows an issue by its code', () => {
    const issue: TeaIssue = { code: 'no-such-cup', cup: 'red' }
    const cupOf = (some: TeaIssue) => (some.code === 'no-such-cup' ? some.cup : undefined)
    expect(cupOf(issue)).toBe('red')
    // @ts-expect-error -- a fact that the rule needs is missing
    const wrong: TeaIssue = { code: 'no-such-cup' }
    expect(wrong.code).toBe('no-such-cup')
  })
})

describe('recognizing', () => {
  it('goes by the registered symbol, so that another copy of the class is recognized', () => {
    const foreign = Object.assign(new Error('x'), { code: 'kettle-cold', issue: { code: 'kettle-cold' } })
    expect(issueErrorOf(foreign)).toBeUndefined()
    Object.defineProperty(foreign, Symbol.for('@mk/errors'), { value: true })
    expect(issueErrorOf(foreign)).toBe(foreign)
    expect(hasCode(foreign, 'no-such-cup', 'kettle-cold')).toBe(true)
    expect(hasCode(foreign, 'no-such-cup')).toBe(false)
  })

  it('knows no error of the system or of a library, whatever its code', () => {
    expect(hasCode(Object.assign(new Error('x'), { code: 'ENOENT' }), 'ENOENT')).toBe(false)
    expect(issueErrorOf('text')).toBeUndefined()
    expect(issueErrorOf(null)).toBeUndefined()
  })
})
