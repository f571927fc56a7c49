import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listPublished, root } from '../../../scripts/workspace.mjs'
import { exportsFile, formatExports } from './list-exports.mjs'

const packages = listPublished()

// An export that comes or goes is a change for users, and is to be seen in a review: npm run docs writes the lists.
test.each(packages.map((member) => [member.directory, member] as const))(
  'the names that %s exports are those of its list',
  (directory, member) => {
    const file = join(root, exportsFile(directory))
    expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toBe(formatExports(member))
  },
)

test('there is no list of a package that is gone', () => {
  expect(readdirSync(join(root, 'tests/packaging/exports')).toSorted()).toEqual(
    packages.map(({ directory }) => exportsFile(directory).split('/').at(-1)).toSorted(),
  )
})
