import { expect, it } from 'vitest'
import { builtinMethods } from '../builtin-methods.ts'
import { findMethod } from './find-method.ts'

it('finds a built-in method, or one of those given', () => {
  const linear = builtinMethods.get('linear')!
  expect(findMethod('linear')).toBe(linear)
  expect(findMethod('mine', new Map([['mine', linear]]))).toBe(linear)
})

it('gives the nearest name, and where the wrong one is written', () => {
  expect(() => findMethod('tis')).toThrow("there is no merge method 'tis'; did you mean 'ties'?")
  expect(() => findMethod('tis', undefined, 'recipe.yml:1:15')).toThrow(
    "recipe.yml:1:15: there is no merge method 'tis'; did you mean 'ties'?",
  )
})

it('gives alternatives only where there are several', () => {
  const issueOf = (name: string) => {
    try {
      return findMethod(name)
    } catch (error) {
      return (error as { readonly issue: object }).issue
    }
  }
  expect(issueOf('SLERP')).toMatchObject({ nearest: 'slerp' })
  expect(issueOf('SLERP')).not.toHaveProperty('alternatives')
  expect(issueOf('dare')).toMatchObject({ alternatives: ['dare_ties', 'dare_linear'] })
  expect(issueOf('dare')).not.toHaveProperty('nearest')
})

it('gives all names where none is near', () => {
  expect(() => findMethod('average_of_all')).toThrow('; there are linear, slerp, ')
})
