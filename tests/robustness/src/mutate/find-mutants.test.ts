import { describe, expect, test } from 'vitest'
import { findEquivalent } from './equivalents.mjs'
import { applyMutant, describeMutant, findMutants } from './find-mutants.mjs'

const mutantsOf = (source: string) => findMutants('a.ts', source).map((mutant) => applyMutant(source, mutant))

describe('mutants', () => {
  test.each([
    ['const a = b < c', ['const a = b <= c', 'const a = b < (c) + 1']],
    ['const a = (b) === (c)', ['const a = (b) !== (c)']],
    ['const a = b && c', ['const a = b || c']],
    ['const a = b ?? c', ['const a = b']],
    ['const a = !b', ['const a = b']],
    ['const a = 7', ['const a = 8']],
    ['const a = true', ['const a = false']],
    ["const a = 'name'", ["const a = 'namex'"]],
    ['f(a)', ['{}']],
    ['if (a) f()', ['if (!(a)) f()', '{}', 'if (a) {}']],
    ['const a = b ? c : d', ['const a = !(b) ? c : d']],
    ['const a = f(b, c)', ['const a = f(c, b)']],
    ['const a = sub(b, c)', ['const a = sub(c, b)']],
    ['const a = Math.min(b, c)', ['const a = Math.max(b, c)']],
    ['const a = b.floor(c)', ['const a = b.ceil(c)']],
  ])('of %s', (source, expected) => {
    expect(mutantsOf(source)).toEqual(expected)
  })

  test.each([
    'import a from "b"',
    'export { a } from "b"',
    'type A = 1 | 2',
    'interface A { readonly b: 3 }',
    "const a = 'a message for a person'",
    "const a = 'https://example.org/'",
    'const a = mul(b, c)',
    "const a = b.check(z.describe('what it is'), z.meta(c))",
    'const a = { examples: [{ b: 1 }], edges: [2] }',
    'const a: 1 = b as 2',
    'const a = { b: c }',
    'const a = b(...c)',
  ])('are none of %s', (source) => {
    expect(mutantsOf(source)).toEqual([])
  })

  test('are described by the line that they change', () => {
    const source = 'const a = 1\n  if (b) c()\n'
    const mutant = findMutants('a.ts', source).find(({ kind }) => kind === 'negate condition')!
    expect(describeMutant(source, mutant)).toEqual({ line: 2, before: 'if (b) c()', after: 'if (!(b)) c()' })
  })
})

test('a mutant that is listed as equivalent is found by its line, wherever its file is', () => {
  const listed = [{ file: 'a.ts', before: 'x', after: 'y', reason: 'no difference' }]
  expect(findEquivalent(listed, { file: 'packages/p/src/deep/a.ts', before: 'x', after: 'y' })).toBe(listed[0])
  expect(findEquivalent(listed, { file: 'packages/p/src/deep/b.ts', before: 'x', after: 'y' })).toBeUndefined()
})
