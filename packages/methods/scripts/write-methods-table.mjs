// Writes the table of methods between the markers of the READMEs that are given, or of the package's own. Build first.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describeMethods, formatMethodsTable } from '@mk/methods'

const given = process.argv.slice(2)
const files = given.length > 0 ? given : [fileURLToPath(new URL('../README.md', import.meta.url))]
for (const file of files) {
  const text = readFileSync(file, 'utf8')
  const written = text.replace(
    /(<!-- methods -->\n)[\s\S]*?(<!-- \/methods -->)/,
    (_, start, end) => `${start}\n${formatMethodsTable(describeMethods())}\n\n${end}`,
  )
  if (written === text && !text.includes('<!-- methods -->')) throw new Error(`${file} has no '<!-- methods -->'`)
  writeFileSync(file, written)
}
