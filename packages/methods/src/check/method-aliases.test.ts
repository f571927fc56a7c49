import { describe, expect, it } from 'vitest'
import { builtinMethods } from '../builtin-methods.ts'
import { findMethod } from './find-method.ts'

describe('a method by what people call it', () => {
  it.each([
    ['TIES', 'ties'],
    ['task arithmetic', 'task_arithmetic'],
    ['Task-Arithmetic', 'task_arithmetic'],
    ['ta', 'task_arithmetic'],
    ['slerp-gradient', 'slerp'],
    ['gradient slerp', 'slerp'],
    ['frankenmerge', 'passthrough'],
    ['Frankenmerging', 'passthrough'],
    ['lerp', 'linear'],
    ['average', 'linear'],
    ['model_soup', 'linear'],
    ['Model Soups', 'linear'],
    ['ties-merging', 'ties'],
    ['linear merge', 'linear'],
    ['passthrough merge', 'passthrough'],
    ['model breadcrumbs', 'breadcrumbs'],
    ['karcher mean', 'karcher'],
    ['della_ties', 'della'],
  ])('%s is %s', (name, method) => {
    expect(() => findMethod(name)).toThrow(`there is no merge method '${name}'; did you mean '${method}'?`)
    expect(builtinMethods.has(method)).toBe(true)
  })

  it('names all that it may be', () => {
    expect(() => findMethod('dare')).toThrow(`did you mean 'dare_ties' or 'dare_linear'?`)
    expect(() => findMethod('DARE')).toThrow(`did you mean 'dare_ties' or 'dare_linear'?`)
  })

  it('names none that is not there', () => {
    expect(() => findMethod('frankenmerge', new Map([['linear', builtinMethods.get('linear')!]]))).toThrow(
      '; there are linear',
    )
  })
})
