import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { hashModule } from './hash-module.ts'

let folder: string
const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
const hash = () => hashModule(join(folder, 'main.mjs'))
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mk-hash-'))
  write(
    'main.mjs',
    `import { f } from './part.mjs'\nimport fs from 'node:fs'\nexport default f(2) // import './gone.mjs'`,
  )
  write('part.mjs', `export * from './deep.mjs'\nimport './main.mjs'`)
  write('deep.mjs', 'export const f = (x) => x')
  write('other.mjs', '')
})
afterEach(() => rmSync(folder, { recursive: true }))

it.each([
  ['main.mjs', 'export default 3'],
  ['part.mjs', `export const f = () => 1`],
  ['deep.mjs', 'export const f = (x) => x + 1'],
])('is another one when %s changes', (name, text) => {
  const before = hash()
  write(name, text)
  expect(hash()).not.toBe(before)
})

it('stays the same where nothing that the module imports by path has changed', () => {
  const before = hash()
  write('other.mjs', 'export {}')
  expect(hash()).toBe(before)
})

it('does not know a module that is not there', () => {
  expect(() => hashModule(join(folder, 'none.mjs'))).toThrow('ENOENT')
})

it.each([
  ['a file URL', (url: string) => `import '${url}'`],
  ['a path with a query', () => `import './other.mjs?v=1'`],
  ['a path with a hash', () => `export * from "./other.mjs#a"`],
  ['a call', () => `await import( './other.mjs' )`],
  ['require', () => `require("./other.mjs")`],
  ['an absolute path', (_: string, path: string) => `import x from '${path}'`],
])('follows %s', (_, text) => {
  const other = join(folder, 'other.mjs')
  write('main.mjs', text(pathToFileURL(other).href, other))
  const before = hash()
  write('other.mjs', 'export {}')
  expect(hash()).not.toBe(before)
})

it('tells apart where one text ends and the next begins', () => {
  write('main.mjs', `import './part.mjs'; import './deep.mjs'`)
  const hashes = [
    ['a', 'bb'],
    ['ab', 'b'],
  ].map(([part, deep]) => {
    write('part.mjs', part!)
    write('deep.mjs', deep!)
    return hash()
  })
  expect(hashes[0]).not.toBe(hashes[1])
})
