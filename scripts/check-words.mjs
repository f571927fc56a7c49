// Code and documents are in American spelling and in the field's words: what matches a pattern of words.json is a fault.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const { spelling, words } = JSON.parse(readFileSync(new URL('words.json', import.meta.url), 'utf8'))
const compile = ([pattern, instead]) => ({ pattern: new RegExp(pattern, 'gi'), instead })
const ofSpelling = spelling.map(compile)
const ofWords = words.map(compile)

const skipped = new Set(['node_modules', 'dist', '.turbo', 'models', 'cases', 'tokenizers'])
const checked = /\.(ts|mts|js|mjs|md|yml|yaml|py)$|\/package\.json$/

const problems = ['packages', 'apps', 'docs', 'examples', 'scripts', 'goldens', '.changeset', '.github']
  .flatMap((folder) => filesIn(join(root, folder)))
  .concat(['README.md', 'CONTRIBUTING.md'].map((name) => join(root, name)))
  .flatMap(checkFile)
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0

function filesIn(folder) {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesIn(path)
    return entry.isFile() && checked.test(path) ? [path] : []
  })
}

function entriesOf(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

function checkFile(file) {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.flatMap((line, index) =>
    [...found(line, ofWords), ...found(apart(line), ofSpelling)].map(
      ({ text, instead }) => `${relative(root, file)}:${index + 1}: '${text}' should be ${instead}`,
    ),
  )
}

function found(line, rules) {
  return rules.flatMap(({ pattern, instead }) => Array.from(line.matchAll(pattern), ([text]) => ({ text, instead })))
}

/** The words that an identifier is made of, one by one. */
function apart(line) {
  return line.replace(/([a-z])(?=[A-Z])/g, '$1 ').replaceAll('_', ' ')
}
