import { expect, test } from 'vitest'
import { latin1Text } from './latin1.ts'

test('each byte is the character of its number, however many there are', () => {
  const bytes = Uint8Array.from({ length: 10_000 }, (_, index) => index)
  expect(Array.from(latin1Text(bytes), (character) => character.charCodeAt(0))).toEqual([...bytes])
  expect(latin1Text(new Uint8Array(0))).toBe('')
})
