import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { compileMutants } from './compile-mutants.mjs'

const root = mkdtempSync(join(tmpdir(), 'mk-compile-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const sources = {
  'a.ts':
    'class Own {\n  #name = 1\n  same = (other: Own) => other.#name === this.#name\n}\nexport const one = 1\nexport const own = new Own()\n',
  'b.ts':
    "import { one } from './a.ts'\nexport const isOne: 1 = one\nexport const f = (text: string): number => text.length + 1\n",
}

test('those that compile are told from those that do not, also where only another file shows it', async () => {
  const folder = join(root, 'packages/p/src')
  mkdirSync(folder, { recursive: true })
  symlinkSync(fileURLToPath(new URL('../../../../node_modules', import.meta.url)), join(root, 'node_modules'))
  writeFileSync(
    join(root, 'packages/p/tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'ES2023',
        module: 'NodeNext',
        strict: true,
        types: [],
        rootDir: 'src',
        rewriteRelativeImportExtensions: true,
      },
      include: ['src'],
    }),
  )
  for (const [name, text] of Object.entries(sources)) writeFileSync(join(folder, name), text)
  const place = (name: keyof typeof sources, from: string, text: string) => {
    const start = sources[name].indexOf(from)
    const mutant = { kind: '', start, end: start + from.length, text }
    return { id: '', file: `packages/p/src/${name}`, line: 1, before: '', after: '', mutant }
  }
  const places = [
    place('b.ts', '+ 1', '- 1'),
    place('b.ts', 'text.length', 'text'),
    place('a.ts', 'one = 1', 'one = 2'),
    place('a.ts', '#name = 1', '#name = 2'),
  ]
  expect(await compileMutants(root, ['p'], places)).toEqual([true, false, false, true])
  expect(readdirSync(folder).toSorted()).toEqual(Object.keys(sources))
  for (const [name, text] of Object.entries(sources)) expect(readFileSync(join(folder, name), 'utf8')).toBe(text)
  expect(existsSync(join(root, 'packages/p/dist'))).toBe(false)
})
