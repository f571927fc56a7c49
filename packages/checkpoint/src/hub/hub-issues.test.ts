import { describe, expect, test } from 'vitest'
import { hubIssues } from './hub-issues.ts'

const id = 'org/a'
const what = 'w.safetensors'

describe('what helps with a token', () => {
  const hints = {
    true: 'the token that is set does not give access',
    false: 'set HF_TOKEN, or log in with `hf auth login`',
  }

  test.each([true, false])('is told by whether there is one: %s', (hasToken) => {
    const hint = hints[`${hasToken}`]
    for (const text of [
      hubIssues['hub-unauthorized'].text({ id, hasToken }),
      hubIssues['hub-gated'].text({ id, hasToken, page: 'p' }),
      hubIssues['hub-forbidden'].text({ id, what, hasToken }),
    ])
      expect(text).toMatch(new RegExp(`; ${hint}$`))
  })

  test('a model that is not there may be private', () => {
    const text = hubIssues['hub-not-found'].text
    expect(text({ id, hasToken: true })).toMatch(/private and the token that is set does not see it$/)
    expect(text({ id, hasToken: false })).toMatch(/private and no token is set \(HF_TOKEN, or `hf auth login`\)$/)
    expect(text({ id, what, hasToken: true })).toBe('the hub has no w.safetensors of org/a')
  })

  test('a limit is higher with one', () => {
    const text = hubIssues['hub-rate-limited'].text
    expect(text({ id, what, seconds: 7, hasToken: true })).toMatch(/another 7 s .* w\.safetensors of org\/a$/)
    expect(text({ id, what, seconds: 7, hasToken: false })).toMatch(/org\/a; with a token .* the limit is higher$/)
  })
})

test('a file of which something has arrived says so', () => {
  const text = (isPartlyHere?: boolean) =>
    hubIssues['hub-unreachable'].text({
      id,
      what,
      reason: 'gone',
      host: 'h',
      ...(isPartlyHere !== undefined && { isPartlyHere }),
    })
  for (const none of [undefined, false])
    expect(text(none)).toBe('w.safetensors of org/a could not be fetched from h: gone')
  expect(text(true)).toMatch(/: gone; what has arrived is kept, and the next run goes on from there$/)
})

test('room is told in GB, with more digits where it is little', () => {
  const text = (availableBytes: number) =>
    hubIssues['hub-disk'].text({ folder: 'f', neededBytes: 2.25e9, availableBytes })
  expect(text(1e8)).toMatch(/^f has 0\.1 GB left, but 2\.3 GB are to be downloaded/)
  expect(text(99_999_999)).toMatch(/^f has 0\.1000 GB left/)
  expect(text(1234)).toMatch(/^f has 0\.0000 GB left/)
})

test('an answer that can’t be understood is cut after 300 letters', () => {
  const text = (length: number) => hubIssues['hub-answer'].text({ id, problem: 'x'.repeat(length) })
  expect(text(300)).toBe(`the hub's answer about org/a can't be understood: ${'x'.repeat(300)}`)
  expect(text(301)).not.toContain('x'.repeat(301))
})
