import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseConfig } from '@mk/config'

const at = (path: string) => new URL(`../${path}`, import.meta.url)
const readme = readFileSync(at('README.md'), 'utf8')

test('the recipe is the one that its command merges', () => {
  const recipe = /```yaml\n([\s\S]*?)```/.exec(readme)![1]!
  const [, file] = /^npx mergekit-yaml (\S+\.yml) /m.exec(readme)!
  expect(parseConfig(recipe).document).toEqual(parseConfig(readFileSync(at(file!), 'utf8')).document)
})

test('every package is in the table of packages', () => {
  const folders = ['packages', 'apps']
    .flatMap((group) => readdirSync(at(group)).map((name) => `${group}/${name}`))
    .filter((folder) => existsSync(at(`${folder}/package.json`)))
  const [, table] = /## The packages\n([\s\S]*?)\n## /.exec(readme)!
  expect([...table!.matchAll(/\]\(((?:packages|apps)\/[\w-]+)\)/g)].map(([, folder]) => folder).toSorted()).toEqual(
    folders.toSorted(),
  )
})
