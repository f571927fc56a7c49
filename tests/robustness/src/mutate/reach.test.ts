import { expect, test } from 'vitest'
import { findMutants } from './find-mutants.mjs'
import { addProbes, findBody } from './reach.mjs'

/** Runs a source with probes, and gives what it returns and the functions entered. */
function run(source: string) {
  const entered: number[] = []
  const mkReach = (id: number) => entered.push(id)
  const { text } = addProbes('a.ts', source, 7)
  const value: unknown = new Function('globalThis', `${text}\nreturn result`)({ mkReach })
  return { value, entered }
}

test.each([
  ['function f() { return 1 } const result = f()', 1, [7]],
  ['const f = () => 1; const result = f()', 1, [7]],
  ['const f = () => ({ a: 1 }); const result = f().a', 1, [7]],
  ['const f = (a) => (b) => a + b; const result = f(1)(2)', 3, [7, 8]],
  ['class A { b() { return 1 } get c() { return 2 } } const result = new A().c', 2, [8]],
  ['const f = (a = () => 3) => a(); const result = f()', 3, [7, 8]],
  ['const unused = () => 1; const result = 5', 5, []],
])('%s: %j by functions %j', (source, value, entered) => {
  expect(run(source)).toEqual({ value, entered })
})

test('a mutant is of the innermost function around it, and of none where it runs as the file is loaded', () => {
  const source = 'const a = 1\nconst f = () => {\n  if (a < 2) return () => 3\n}'
  const { bodies } = addProbes('a.ts', source, 0)
  const idOf = (text: string) =>
    findBody(
      bodies,
      findMutants('a.ts', source).find((mutant) => source.slice(mutant.start, mutant.end) === text)!,
    )?.id
  expect(idOf('1')).toBeUndefined()
  expect(idOf('2')).toBe(0)
  expect(idOf('3')).toBe(1)
})
