import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { builtinMethods } from './builtin-methods.ts'
import { parseParameters } from './check/parse-parameters.ts'

it('every file of methods/ is a built-in method of that name', () => {
  const files = readdirSync(new URL('methods', import.meta.url)).filter((file) => !file.endsWith('.test.ts'))
  const names = files.map((file) => file.replace(/\.ts$/, '').replaceAll('-', '_'))
  expect([...builtinMethods.keys()].toSorted()).toEqual(names.toSorted())
})

it.each([...builtinMethods.values()])('$name has examples that set what must be set', (method) => {
  expect(method.examples?.length).toBeGreaterThan(0)
  for (const example of method.examples!)
    expect(() => parseParameters(method, { perModel: [example], methodWide: example })).not.toThrow()
})
