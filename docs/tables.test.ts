import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { documents, wholeFiles, withTables } from '../scripts/docs-tables.mjs'

test.each(documents)("the tables of %s are those that 'npm run docs' writes", (file) => {
  const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
  expect(text).toBe(withTables(file, text))
})

test.each(Object.entries(wholeFiles))("%s is what 'npm run docs' writes", (file, write) => {
  expect(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8') === write()).toBe(true)
})

test('a document without the place for its table is an error', () => {
  expect(() => withTables('README.md', '# mk')).toThrow("README.md has no '<!-- methods -->'")
})
