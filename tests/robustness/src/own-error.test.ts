import { expect, test } from 'vitest'
import { faultOfError } from './own-error.mjs'

const errorOf = (name: string, message: string, code?: string) => Object.assign(new Error(message), { name, code })

test('an error with a code of its own is no fault', () => {
  expect(faultOfError(errorOf('ConfigError', 'recipe.yml:1:1: no models', 'missing-key'))).toBeUndefined()
})

test.each([
  ['foreign RangeError', errorOf('RangeError', 'Maximum call stack size exceeded')],
  ['foreign Error EACCES', errorOf('Error', 'permission denied', 'EACCES')],
  ['foreign ConfigError', errorOf('ConfigError', 'no code')],
  ['threw a string', 'text'],
  ['a message of 5000 characters', errorOf('ConfigError', 'x'.repeat(5000), 'wrong-value')],
  ['control characters', errorOf('ConfigError', 'name \u001b[2J', 'wrong-value')],
])('%s is a fault', (fault, error) => {
  expect(faultOfError(error)).toContain(fault)
})
