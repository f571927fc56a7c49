import { expect, test } from 'vitest'
import { checkResponse } from './ranged-response.ts'

const file = { name: 'w.safetensors', hash: 'h', byteCount: 100 } as Parameters<typeof checkResponse>[2]
const check = (byteStart: number, status: number, headers: Readonly<Record<string, string>>) =>
  checkResponse(new Response(null, { status, headers }), 'org/m', file, byteStart)

test.each([
  ['the part that was asked for', 10, 206, { 'content-range': 'bytes 10-99/100' }, 'rest'],
  ['a part of which the end is left to the server', 10, 206, { 'content-range': 'bytes 10-19/100' }, 'rest'],
  ['all of it from the start', 0, 200, { 'content-length': '100' }, 'rest'],
  ['all of it without a length', 0, 200, {}, 'rest'],
  ['all of it where a part was asked for', 10, 200, { 'content-length': '100' }, 'whole'],
  ['all of it where a part was asked for, without a length', 10, 200, {}, 'whole'],
] as const)('%s is taken', (_, byteStart, status, headers, taken) => {
  expect(check(byteStart, status, headers)).toBe(taken)
})

test.each([
  ['another length', 0, 200, { 'content-length': '99' }, { code: 'hub-length', issue: { found: 99, expected: 100 } }],
  [
    'a part of a file of another length',
    10,
    206,
    { 'content-range': 'bytes 10-100/101' },
    { code: 'hub-length', issue: { found: 101 } },
  ],
  ['another part', 10, 206, { 'content-range': 'bytes 11-99/100' }, { code: 'hub-answer', issue: {} }],
  [
    'the beginning in place of a part',
    10,
    206,
    { 'content-range': 'bytes 0-99/100' },
    { code: 'hub-answer', issue: {} },
  ],
  ['a part that is not told', 10, 206, {}, { code: 'hub-answer', issue: {} }],
  ['a part told in other words', 10, 206, { 'content-range': 'items 10-99/100' }, { code: 'hub-answer', issue: {} }],
] as const)('%s is refused', (_, byteStart, status, headers, error) => {
  expect(() => check(byteStart, status, headers)).toThrow(
    expect.objectContaining({ code: error.code, issue: expect.objectContaining({ id: 'org/m', ...error.issue }) }),
  )
})
