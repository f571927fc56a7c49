import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
