import { expect, it } from 'vitest'
import { parameterCalled, parameterHint } from './parameter-aliases.ts'

it.each<[string, string[]]>([
  ['alpha', ['t', 'weight', 'lambda']],
  ['ratio', ['t', 'weight']],
  ['factor', ['t', 'weight', 'scale']],
  ['interpolation', ['t']],
  ['interpolation_factor', ['t']],
  ['coefficient', ['weight', 't']],
  ['scaling', ['lambda', 'scale']],
  ['scaling_factor', ['lambda', 'scale']],
  ['scaling_coefficient', ['lambda']],
  ['scale', ['lambda']],
  ['lam', ['lambda']],
  ['lambda_', ['lambda']],
  ['trim', ['density']],
  ['keep', ['density']],
  ['keep_ratio', ['density']],
  ['top_k', ['select_topk', 'density']],
  ['topk', ['select_topk', 'density']],
  ['k', ['select_topk', 'density']],
  ['iterations', ['max_iter']],
  ['tolerance', ['tol']],
  ['threshold', ['t', 'epsilon']],
  ['sign_method', ['consensus_method']],
  ['majority_sign_method', ['consensus_method']],
])('%s is one of %s, the first that the method has', (name, parameters) => {
  expect(parameterCalled(name, ['other', ...parameters])).toBe(parameters[0])
  expect(parameterCalled(name.toUpperCase().replaceAll('_', '-'), parameters)).toBe(parameters[0])
  for (const parameter of parameters) expect(parameterCalled(name, [parameter])).toBe(parameter)
  expect(parameterCalled(name, ['other'])).toBeUndefined()
})

it('a number as a name comes of a decimal comma', () => {
  expect(parameterHint('5')).toBe('a decimal number has a point, no comma: 0.5')
  expect(parameterHint('5a')).toBeUndefined()
})

it.each([
  ['dtype out_dtype base_model merge_method tokenizer_source tokenizer chat_template', 'at the top level'],
  ['torch_dtype precision', 'the output is dtype'],
  ['layer_range layers', 'beside model'],
  ['seed random_seed', '--random-seed'],
  ['drop_rate dropout drop drop_probability dare prune sparsity', '1 less the share that is dropped'],
])('%s have a place, or another name, elsewhere', (names, hint) => {
  for (const name of names.split(' ')) {
    expect(parameterHint(name)).toContain(hint)
    expect(parameterHint(name.toUpperCase().replaceAll('_', '-'))).toContain(hint)
  }
})

it('knows nothing of other names', () => {
  for (const name of ['weight', 'constructor', '']) {
    expect(parameterHint(name)).toBeUndefined()
    expect(parameterCalled(name, ['weight'])).toBeUndefined()
  }
})
