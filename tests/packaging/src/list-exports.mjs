// The names that a package exports, values and types, by its entries: read from the sources, so that nothing has to be built.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'oxc-parser'
import { root } from '../../../scripts/workspace.mjs'

/** Where the list of a package stands, from the root. */
export const exportsFile = (directory) => `tests/packaging/exports/${directory.split('/')[1]}.txt`

/** Gives the list of a package as its file has it: each entry, and below it the names, `type` before those that are types alone. */
export function formatExports({ directory, manifest }) {
  const blocks = Object.entries(manifest.exports).flatMap(([entry, target]) => {
    const source = typeof target === 'object' ? (target['mk-source'] ?? target.default) : target
    if (!existsSync(join(root, directory, source)))
      throw new Error(`${directory}: '${entry}' leads to ${source}, which is not there`)
    const names = /\.m?[jt]s$/.test(source) ? listExports(join(root, directory, source)) : []
    return [`${manifest.name}${entry.slice(1)}\n${names.map((name) => `  ${name}\n`).join('')}`]
  })
  return blocks.join('')
}

function listExports(file) {
  const { module, errors } = parseSync(file, readFileSync(file, 'utf8'))
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`)
  return module.staticExports
    .flatMap(({ entries }) => entries)
    .map(({ exportName, isType }) => {
      if (exportName.name === null) throw new Error(`${file}: an export without a name; name what is exported`)
      return { name: exportName.name, isType }
    })
    .toSorted((a, b) => Number(a.isType) - Number(b.isType) || (a.name < b.name ? -1 : 1))
    .map(({ name, isType }) => (isType ? `type ${name}` : name))
}
