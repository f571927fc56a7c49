import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { locatePath, looksLocal } from './locate-path.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mk-locate-'))
  for (const folder of ['first', 'second/model', 'second/own', 'first/own'])
    await mkdir(join(root, folder), { recursive: true })
  await writeFile(join(root, 'second', 'weights.safetensors'), '')
})
afterAll(() => rm(root, { recursive: true }))
const roots = () => ['first', 'second'].map((name) => join(root, name))

test('a folder or file is that of the first root that has it', async () => {
  expect(await locatePath('own', roots())).toEqual({ kind: 'found', path: join(root, 'first', 'own') })
  expect(await locatePath('model', roots())).toEqual({ kind: 'found', path: join(root, 'second', 'model') })
  expect(await locatePath('./weights.safetensors', roots())).toEqual({
    kind: 'found',
    path: join(root, 'second', 'weights.safetensors'),
  })
})

test('what is in none was looked for in each, once', async () => {
  expect(await locatePath('none', [...roots(), ...roots()])).toEqual({
    kind: 'absent',
    tried: roots().map((folder) => join(folder, 'none')),
  })
  expect(await locatePath('/none/at/all', roots())).toEqual({ kind: 'absent', tried: [resolve('/none/at/all')] })
})

test('~ is the home of the user, alone or before a slash', async () => {
  expect(await locatePath('~', roots())).toEqual({ kind: 'found', path: homedir() })
  expect(await locatePath('~/none of this name', roots())).toEqual({
    kind: 'absent',
    tried: [join(homedir(), 'none of this name')],
  })
  expect(await locatePath('~none', roots())).toMatchObject({ tried: roots().map((folder) => join(folder, '~none')) })
})

test.each([
  ...'./a ../a /a ~/a ~\\a C:\\a c:/a . .. a\\b a/ org/a/b'.split(' '),
  ...['safetensors', 'bin', 'pt', 'pth', 'ckpt', 'gguf', 'json'].map((ending) => `a.${ending}`),
])('%s is no model of the hub', (path) => {
  expect(looksLocal(path)).toBe(true)
})

test.each(['a', 'org/a', 'org/a.b', '.a', '~a', 'a.jsonl', 'a.binary', 'org/..a', 'C:a'])('%s may be one', (path) => {
  expect(looksLocal(path)).toBe(false)
})
