// The tables in documents, and the files, that are made from code. A file has `<!-- NAME -->` and `<!-- /NAME -->` where one stands.
import { exitStatus } from '@mk/cli'
import { hints } from '@mk/cli/errors'
import { recipeSchema } from '@mk/merge'
import { describeMethods, formatMethodsTable } from '@mk/methods'
import { collectRules } from './issue-rules.mjs'

const rules = await collectRules()

/** Each with the files, from the root, that it stands in, and the function that makes its Markdown. */
const tables = [
  {
    name: 'methods',
    files: ['README.md', 'packages/methods/README.md'],
    write: () => formatMethodsTable(describeMethods()),
  },
  {
    name: 'errors',
    files: ['docs/errors.md'],
    write: formatErrorTables,
  },
]

/** Files that are made from code as a whole: the text of each. */
export const wholeFiles = {
  'apps/cli/recipe.schema.json': () => `${JSON.stringify(recipeSchema(), undefined, 1)}\n`,
}

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

/** A table for each package that has errors: code, exit status, message, what helps. */
function formatErrorTables() {
  return [...new Set(rules.map((rule) => rule.package))]
    .map((name) => {
      const rows = rules.filter((rule) => rule.package === name).map(formatErrorRow)
      return [`## ${name}`, '', '| code | exit status | message | what helps |', '|---|---|---|---|', ...rows].join(
        '\n',
      )
    })
    .join('\n\n')
}

function formatErrorRow({ code, fault, error }) {
  const message = error === undefined ? '' : readable(error.message)
  return `| \`${code}\` | ${exitStatus[fault]} | ${cell(message)} | ${cell(hints[code] ?? '')} |`
}

/** Place-holders are neither texts nor numbers: quoted, in a path, counted from 1 or divided they leave something else behind. */
const readable = (message) =>
  message
    .replaceAll(/\["(‹\w+›)"\]/g, '$1')
    .replaceAll(/"(‹\w+›)"/g, "'$1'")
    .replaceAll('›1', '›')
    .replaceAll(/\bNaN\b(?! or infinite)/g, '‹number›')

/** Text as Markdown that shows it as it is, in one line. */
const cell = (text) => text.replace(/[\\|*_`<[\]]/g, '\\$&').replaceAll(/\s*\n\s*/g, ' ')
