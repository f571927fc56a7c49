import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { documents, withTables } from '../scripts/docs-tables.mjs'

test.each(documents)("the tables of %s are those that 'npm run docs' writes", (file) => {
  const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
  expect(text).toBe(withTables(file, text))
})

test('a document without the place for its table is an error', () => {
  expect(() => withTables('README.md', '# mk')).toThrow("README.md has no '<!-- methods -->'")
})
