// Writes the tables in documents, and the files, that are made from code: npm run docs
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { bootstrap, root } from './bootstrap.mjs'
import { listPublished } from './workspace.mjs'

bootstrap()
const { documents, wholeFiles, withTables } = await import('./docs-tables.mjs')
for (const file of documents) update(file, (text) => withTables(file, text))
for (const [file, write] of Object.entries(wholeFiles)) update(file, write)
const { exportsFile, formatExports } = await import('../tests/packaging/src/list-exports.mjs')
for (const member of listPublished()) update(exportsFile(member.directory), () => formatExports(member))

function update(file, write) {
  const path = `${root}/${file}`
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const written = write(text)
  if (written === text) return
  writeFileSync(path, written)
  console.log(`wrote ${file}`)
}
