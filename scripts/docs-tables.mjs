// The tables in documents that are made from code. A file has `<!-- NAME -->` and `<!-- /NAME -->` where one stands.
import { describeMethods, formatMethodsTable } from '@mk/methods'

/** Each with the files, from the root, that it stands in, and the function that makes its Markdown. */
const tables = [
  {
    name: 'methods',
    files: ['README.md', 'packages/methods/README.md'],
    write: () => formatMethodsTable(describeMethods()),
  },
]

/** Every file that has such tables. */
export const documents = [...new Set(tables.flatMap(({ files }) => files))]

/** Gives the text of one of `documents` with its tables written anew. */
export function withTables(file, text) {
  return tables
    .filter(({ files }) => files.includes(file))
    .reduce((written, { name, write }) => replaceTable(file, written, name, write()), text)
}

function replaceTable(file, text, name, table) {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file} has no '${start}' with '${end}' after it`)
  return `${text.slice(0, from + start.length)}\n\n${table}\n\n${text.slice(to)}`
}
