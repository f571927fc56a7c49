import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fail } from './processes.mjs'
import { sizeNames } from './synthetic-model.mjs'

const text = (value) => ({ type: 'string', default: value })

/** What several of these programs take. */
const common = {
  size: text('1.1B'),
  threads: text('2'),
  runs: text('3'),
  models: text(join(tmpdir(), 'mk-bench-models')),
  out: text(join(tmpdir(), 'mk-bench-out')),
}

/**
 * Parses the command line of a program.
 * @param {(keyof common)[]} taken which of the common options it takes
 * @param {Record<string, string | false>} [more] further ones, or another default: a text, or false where it is a switch
 */
export function parseFlags(taken, more = {}, { allowPositionals = false } = {}) {
  const own = Object.entries(more).map(([name, value]) => [
    name,
    value === false ? { type: 'boolean', default: false } : text(value),
  ])
  const options = Object.fromEntries([...taken.map((name) => [name, common[name]]), ...own])
  const { values: flags, positionals } = parseArgs({ options, allowPositionals })
  if (taken.includes('size') && !sizeNames.includes(flags.size))
    fail(`no size '${flags.size}'; there are ${sizeNames.join(', ')}`)
  return { flags, positionals }
}
