import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../', import.meta.url)
const members = ['packages', 'apps'].flatMap((group) =>
  readdirSync(new URL(group, root), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ group, name })),
)

// Nothing is published: what a README tells to type must work from a clone, and say what will do later.
test.each(members)('the README of $group/$name says how it is installed from a clone', ({ group, name }) => {
  const readme = readFileSync(new URL(`${group}/${name}/README.md`, root), 'utf8')
  const line = /^npm install .*$/m.exec(readme)?.[0] ?? ''
  const [now, later] = line.split(' # ')
  expect(now).toMatch(
    group === 'apps'
      ? new RegExp(`^npm install -g \\./apps/${name}$`)
      : new RegExp(`^npm install /path/to/clone/packages/(${name}|\\{${name},[\\w,-]+\\})$`),
  )
  expect(later).toContain(`published: npm install ${group === 'apps' ? '-g ' : ''}@mk/${name}`)
})
