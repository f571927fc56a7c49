import { expect, test } from 'vitest'
import { createModulePattern } from './module-pattern.ts'

test.each<[string, string, boolean]>([
  ['q_proj', 'q_proj', true],
  ['q_proj', 'layers.0.q_proj', true],
  ['q_proj', 'layers.0.xq_proj', false],
  ['q_proj', 'q_proj.x', false],
  ['layers.0', 'layersx0', false],
  ['[qk]_proj', 'layers.0.k_proj', true],
  ['[qk]_proj', 'layers.0.v_proj', false],
  ['.*\\.[01]\\.q', 'layers.1.q', true],
  ['a|b', 'x.b', true],
  ['a|b', 'xb', false],
  ['a+b*c{1,2}', 'x.aacc', true],
])('%s means %s: %s', (pattern, module, means) => {
  expect(createModulePattern(pattern, 'f')(module)).toBe(means)
})

test.each(['a+b+c+d+', '(a)+', '(a)*', '(a){2}', '(a)?', '(?=a)', '\\1', '(', `[${'a'.repeat(255)}]`])(
  '%s could take long, or is none',
  (pattern) => {
    expect(() => createModulePattern(pattern, 'f')).toThrow(
      expect.objectContaining({ code: 'adapter-pattern', issue: expect.objectContaining({ file: 'f' }) }),
    )
  },
)

test.each(['a+b+c+', '(?:a)', '[+*]+', '\\+\\+\\+\\+a+', `[${'a'.repeat(254)}]`])('%s is short enough', (pattern) => {
  expect(createModulePattern(pattern, 'f')('x')).toBe(false)
})
