import { expect, it } from 'vitest'
import { expectArgument, isRecord } from './index.ts'

const refuse = (found: unknown) => () =>
  expectArgument(isRecord(found), 'merge', { argument: 'options', expected: 'an object', found })

it.each([
  [undefined, 'merge: options is not given, expected an object'],
  [null, 'merge: options is null, expected an object'],
  ['x', "merge: options is 'x', expected an object"],
  [[1], 'merge: options is [1], expected an object'],
])('refuses %j as an object', (found, message) => {
  expect(refuse(found)).toThrow(message)
})

it('lets an object pass, and is recognized as a fault of whoever calls', () => {
  expect(refuse({})).not.toThrow()
  expect(refuse(7)).toThrow(
    expect.objectContaining({ code: 'wrong-argument', fault: 'usage', issue: expect.objectContaining({ found: 7 }) }),
  )
})
