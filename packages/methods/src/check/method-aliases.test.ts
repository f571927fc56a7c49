import { describe, expect, it } from 'vitest'
import { builtinMethods } from '../builtin-methods.ts'
import { findMethod } from './find-method.ts'
import { methodsCalled } from './method-aliases.ts'

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

it.each<[string[], string]>([
  [['dare_ties', 'dare_linear'], 'dare drop_and_rescale'],
  [['dare_linear'], 'dare_task_arithmetic linear_dare'],
  [['dare_ties'], 'ties_dare'],
  [
    ['linear'],
    'average averaging avg mean lerp linear_interpolation weighted_average weighted weighted_sum soup model_soup model_soups uniform_soup greedy_soup',
  ],
  [['linear', 'slerp'], 'interpolation'],
  [['slerp'], 'gradient_slerp slerp_gradient spherical spherical_linear_interpolation spherical_interpolation'],
  [['task_arithmetic'], 'ta arithmetic task_vector task_vectors task_vector_arithmetic'],
  [['ties'], 'ties_merging ties_merge trim_elect_sign_and_merge'],
  [
    ['passthrough'],
    'frankenmerge frankenmerging franken stack stacking layer_stacking self_merge concat concatenate copy depth_up_scaling depth_upscaling dus',
  ],
  [['della'], 'della_ties della_merging'],
  [['breadcrumbs'], 'model_breadcrumbs'],
  [['nuslerp'], 'nu_slerp'],
  [['multislerp'], 'multi_slerp'],
  [['multislerp', 'karcher'], 'n_slerp'],
  [['karcher'], 'karcher_mean riemannian riemannian_mean geodesic'],
  [['model_stock'], 'stock'],
  [['nearswap'], 'near_swap'],
  [['arcee_fusion'], 'fusion arcee'],
  [['ramplus_tl'], 'ram_plus'],
])('%s is meant by %s', (methods, names) => {
  const known = [...builtinMethods.keys()]
  for (const name of names.split(' ')) expect([name, methodsCalled(name, known)]).toEqual([name, methods])
})

it('knows names in any case, with hyphens or spaces, and with what is said of every method', () => {
  const known = ['linear', 'ties']
  for (const name of ['Model Soup', 'model-soup', ' AVG ', 'avg_merge', 'average-merging', 'mean method'])
    expect([name, methodsCalled(name, known)]).toEqual([name, ['linear']])
  expect(methodsCalled('TIES Merge', known)).toEqual(['ties'])
  expect(methodsCalled('stack', known)).toEqual([])
  expect(methodsCalled('constructor', known)).toEqual([])
})
