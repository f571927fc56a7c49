import { builtinMethods, describeMethods } from '@mk/methods'
import { expect, it } from 'vitest'
import { formatMethods } from './format-methods.ts'

it('prints every method with its parameters', () => {
  const text = formatMethods(describeMethods(builtinMethods.values()))
  for (const name of builtinMethods.keys()) expect(text).toMatch(new RegExp(`^${name}$`, 'm'))
  expect(text).toContain(
    '  t (method-wide, required, usually 0 to 1): Position on the way from the base (0) to the other model (1).',
  )
  expect(text).toContain('  1 model and a base model')
})
