import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseConfig } from '@mk/config'

const at = (path: string) => new URL(`../${path}`, import.meta.url)
const readme = readFileSync(at('README.md'), 'utf8')
const { layers } = JSON.parse(readFileSync(at('scripts/layers.json'), 'utf8')) as { layers: readonly string[][] }

test('the recipe is the one that its command merges', () => {
  const recipe = /```yaml\n([\s\S]*?)```/.exec(readme)![1]!
  const [, file] = /^npx mergekit-yaml (\S+\.yml) /m.exec(readme)!
  expect(parseConfig(recipe).document).toEqual(parseConfig(readFileSync(at(file!), 'utf8')).document)
})

test('the rows of the table of packages are the layers of imports', () => {
  const [, table] = /## The packages\n([\s\S]*?)\n## /.exec(readme)!
  const rows = table!
    .split('\n')
    .map((row) => [...row.matchAll(/\]\((?:packages|apps)\/([\w-]+)\)/g)].map(([, name]) => name))
  expect(rows.filter((row) => row.length > 0).map((row) => row.toSorted())).toEqual(layers.map((row) => row.toSorted()))
})

test('every package is in a layer', () => {
  const names = ['packages', 'apps']
    .flatMap((group) => readdirSync(at(group)).map((name) => ({ name, manifest: at(`${group}/${name}/package.json`) })))
    .filter(({ manifest }) => existsSync(manifest))
  expect(layers.flat().toSorted()).toEqual(names.map(({ name }) => name).toSorted())
})
