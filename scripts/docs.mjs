// Writes the tables in documents that are made from code: npm run docs
import { readFileSync, writeFileSync } from 'node:fs'
import { bootstrap, root } from './bootstrap.mjs'

bootstrap()
const { documents, withTables } = await import('./docs-tables.mjs')
for (const file of documents) {
  const path = `${root}/${file}`
  const text = readFileSync(path, 'utf8')
  const written = withTables(file, text)
  if (written === text) continue
  writeFileSync(path, written)
  console.log(`wrote ${file}`)
}
