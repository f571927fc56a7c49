// The tables in documents, and the files, that are made from code. A file has `<!-- NAME -->` and `<!-- /NAME -->` where one stands.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { exitStatus } from '@mk/cli'
import { hints } from '@mk/cli/errors'
import { recipeSchema } from '@mk/merge'
import { describeMethods, formatMethodsTable } from '@mk/methods'
import { collectRules } from './issue-rules.mjs'

const rules = await collectRules()
const methods = describeMethods()
const sections = readSections()
const cookbook = new URL('../examples/cookbook/', import.meta.url)

/** Each with the files, from the root, that it stands in, and the function that makes its Markdown. */
const tables = [
  {
    name: 'methods',
    files: ['README.md', 'packages/methods/README.md'],
    write: () => formatMethodsTable(methods),
  },
  ...methods.map((method) => ({
    name: `parameters of ${method.name}`,
    files: ['docs/methods.md'],
    write: () => formatParametersTable(method),
  })),
  ...readdirSync(cookbook).map((file) => ({
    name: `recipe ${file.replace('.yml', '')}`,
    files: ['docs/cookbook.md'],
    write: () => formatRecipe(file),
  })),
  { name: 'differences', files: ['docs/migration-from-mergekit.md'], write: formatDifferences },
  {
    name: 'errors',
    files: ['docs/errors.md'],
    write: formatErrorTables,
  },
]

/** Files that are made from code as a whole: the text of each. */
export const wholeFiles = {
  'apps/cli/recipe.schema.json': () => `${JSON.stringify(recipeSchema(), undefined, 1)}\n`,
  'packages/merge/src/manifest.ts': mergeManifest,
  'packages/methods/src/declare/builtin-method-types.ts': formatMethodTypes,
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

/** What each package does otherwise than mergekit, as its README has it; links as from docs/. */
function formatDifferences() {
  return ['packages', 'apps']
    .flatMap((group) => readdirSync(new URL(`../${group}`, import.meta.url)).map((name) => `${group}/${name}`))
    .flatMap((folder) => {
      const file = new URL(`../${folder}/README.md`, import.meta.url)
      if (!existsSync(file)) return []
      const [, section] =
        /^## Differences from mergekit, on purpose\n\n([\s\S]*?)\n+## /m.exec(readFileSync(file, 'utf8')) ?? []
      if (section === undefined) return []
      const linked = section.replaceAll(/\]\((?!https?:|#)([^)]+)\)/g, (_, path) => `](${fromDocs(folder, path)})`)
      return [`### ${folder.split('/')[1]}\n\n${linked}`]
    })
    .join('\n\n')
}

const fromDocs = (folder, path) => posix.relative('docs', posix.join(folder, path))

/** The recipe as it stands in its file, but for the line that is for editors. */
function formatRecipe(file) {
  const text = readFileSync(new URL(file, cookbook), 'utf8').replace(/^# yaml-language-server.*\n/, '')
  return `[${file}](../examples/cookbook/${file})\n\n\`\`\`yaml\n${text}\`\`\``
}

/** What a method is, for whom and where from. */
function factsOf({ summary, reference, base, models: { min, max } }) {
  const source = reference === undefined ? '' : ` Source: [${reference.title}](${reference.url}).`
  const count = max === undefined ? `${min} or more` : min === max ? `${min}` : `${min} to ${max}`
  return `${summary}${source} Models: ${count}; base: ${base === 'none' ? 'not used' : base}.`
}

/** What a method is, and what each of its parameters takes and does. */
function formatParametersTable(method) {
  const { parameters } = method
  const facts = factsOf(method)
  if (parameters.length === 0) return `${facts} It has no parameters.`
  const rows = parameters.map(
    ({ name, scope, required, default: value, allowed, usual, description }) =>
      `| \`${name}\` | ${scope === 'per model' ? 'each model' : 'all'} | ${required ? 'must be set' : value} | ${cell(allowed)} | ${formatRange(usual)} | ${cell(description)} |`,
  )
  return [
    facts,
    '',
    '| parameter | set for | default | takes | usual | effect |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

/** What the type checker knows of every method: an editor shows these texts. */
function formatMethodTypes() {
  const entries = methods.map((method) => {
    const { name, base, parameters } = method
    const files = parameters.flatMap((parameter) => (parameter.isFile ? [`'${parameter.name}'`] : []))
    const scopeOf = (scope, key) => {
      const own = parameters.filter((parameter) => parameter.scope === scope)
      return own.length === 0
        ? `    readonly ${key}: object`
        : [`    readonly ${key}: {`, ...own.map(formatParameterType), '    }'].join('\n')
    }
    return [
      `  /** ${factsOf(method)} */`,
      `  readonly ${name}: {`,
      `    readonly name: '${name}'`,
      `    readonly base: '${base}'`,
      scopeOf('per model', 'perModel'),
      scopeOf('method-wide', 'methodWide'),
      ...(files.length > 0 ? [`    readonly tensors: ${files.join(' | ')}`] : []),
      '  }',
    ].join('\n')
  })
  return [
    "// Written by 'npm run docs' from the declarations of the methods, with the texts that they have there.",
    '/* oxlint-disable max-lines -- nobody reads it from top to bottom */',
    '',
    '/** The built-in methods and their parameters, as the types of recipes and of `mergeArrays` have them. */',
    'export interface BuiltinMethodTypes {',
    ...entries,
    '}',
    '',
  ].join('\n')
}

function formatParameterType({ name, type, required, default: value, allowed, usual, description }) {
  const range = formatRange(usual)
  const takes = type === 'boolean' ? '' : ` Takes ${allowed}${range === '' ? '' : `, usually ${range}`}.`
  const unless = required ? ' Must be set, for all models or for each.' : ` ${value} unless given.`
  return [
    `      /** ${description}${takes}${unless} */`,
    `      readonly ${name}?: ${type
      .split(' | ')
      .map((one) => (one === 'integer' ? 'number' : ['number', 'boolean', 'string'].includes(one) ? one : `'${one}'`))
      .join(' | ')}`,
  ].join('\n')
}

function formatRange({ min, max } = {}) {
  if (min === undefined) return max === undefined ? '' : `up to ${max}`
  return max === undefined ? `from ${min}` : `${min} to ${max}`
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
  const section = sections.get(code)
  const more = section === undefined ? '' : `[what to do](troubleshooting.md#${section})`
  const help = [cell(hints[code] ?? ''), more].filter((text) => text !== '').join(' ')
  return `| \`${code}\` | ${exitStatus[fault]} | ${cell(message)} | ${help} |`
}

/** The section of the page on troubleshooting that says what to do about an error, by its code, as a link names it. */
function readSections() {
  const page = readFileSync(new URL('../docs/troubleshooting.md', import.meta.url), 'utf8')
  return new Map(
    page.split(/^## /m).flatMap((section) => {
      const [heading] = section.split('\n', 1)
      const anchor = heading
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, '')
        .replaceAll(' ', '-')
      return [...section.matchAll(/^\| (`[a-z].*?`) \| /gm)]
        .flatMap(([, codes]) => [...codes.matchAll(/`([^`]+)`/g)])
        .map(([, code]) => [code, anchor])
    }),
  )
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

function mergeManifest() {
  const { version, homepage } = JSON.parse(
    readFileSync(new URL('../packages/merge/package.json', import.meta.url), 'utf8'),
  )
  // That domain stands for an address that is not known yet; no card is to have a link that leads nowhere.
  const isKnown = homepage !== undefined && !new URL(homepage).hostname.endsWith('.example')
  const facts = [`version: '${version}'`, ...(isKnown ? [`homepage: '${homepage}'`] : [])]
  return `// What of package.json outputs tell, for bundles and pages, which have none; 'npm run docs' writes it anew.
export const manifest = {
${facts
  .map(
    (fact) => `  ${fact},
`,
  )
  .join('')}} as const
`
}
