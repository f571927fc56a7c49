import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { expectIssue } from '../__fixtures__/merge.ts'
import { useFolder } from '../__fixtures__/models.ts'
import { publish } from './publish.ts'

const folder = useFolder()
let out: string
beforeEach(() => {
  out = join(folder.path, 'out')
})

async function fill(path: string, ...names: readonly string[]): Promise<string> {
  await mkdir(path, { recursive: true })
  for (const name of names) await writeFile(join(path, name), 'new')
  return path
}

test.each([
  ['missing', false],
  ['missing', true],
  ['empty', false],
  ['empty', true],
])('takes the place of one that is %s (overwrite: %s)', async (state, overwrite) => {
  if (state === 'empty') await mkdir(out)
  await publish(await fill(join(folder.path, 'out.partial'), 'config.json'), out, { overwrite })
  expect([await readdir(folder.path), await readdir(out)]).toEqual([['out'], ['config.json']])
})

test('replaces a folder with files only when asked', async () => {
  await mkdir(out)
  await writeFile(join(out, 'config.json'), 'old')
  const partial = await fill(join(folder.path, 'out.partial'), 'config.json')
  await expectIssue(publish(partial, out, { overwrite: false }), 'output-unwritable')
  expect(await readFile(join(out, 'config.json'), 'utf8')).toBe('old')
  await publish(partial, out, { overwrite: true })
  expect(await readFile(join(out, 'config.json'), 'utf8')).toBe('new')
  expect(await readdir(folder.path)).toEqual(['out'])
})

test('puts the old folder back where the new one can’t take its place', async () => {
  await mkdir(out)
  await writeFile(join(out, 'config.json'), 'old')
  await expectIssue(publish(join(folder.path, 'nowhere'), out, { overwrite: true }), 'output-unwritable')
  expect(await readFile(join(out, 'config.json'), 'utf8')).toBe('old')
  expect(await readdir(folder.path)).toEqual(['out'])
})

test('moves out of a folder inside, over what was there', async () => {
  await fill(out, 'old.safetensors')
  await publish(await fill(join(out, '.partial'), 'config.json', 'model.safetensors'), out, { overwrite: true })
  expect((await readdir(out)).toSorted()).toEqual(['config.json', 'model.safetensors'])
})
