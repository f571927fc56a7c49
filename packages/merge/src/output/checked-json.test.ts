import { readdirSync, readlinkSync } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useFolder } from '../__fixtures__/models.ts'
import { formatChecked, parseChecked, replaceDurably } from './checked-json.ts'

const folder = useFolder()

test('what was written is read back, and nothing that has changed since', () => {
  const value = { identity: 'x', finished: [1, 2] }
  const text = formatChecked(value)
  expect(parseChecked(text)).toEqual(value)
  for (const other of [text.replace('[1,2]', '[1,3]'), text.slice(0, -1), JSON.stringify(value), '', 'null'])
    expect(parseChecked(other)).toBeUndefined()
})

test('a file is replaced by a whole one, and nothing is left beside it', async () => {
  const path = join(folder.path, 'state.json')
  for (const text of ['one', 'two']) {
    await replaceDurably(path, text)
    expect(await readFile(path, 'utf8')).toBe(text)
  }
  await mkdir(join(folder.path, 'taken', 'in'), { recursive: true })
  await expect(replaceDurably(join(folder.path, 'taken'), 'x')).rejects.toMatchObject({ code: 'EISDIR' })
  expect((await readdir(folder.path)).toSorted()).toEqual(['state.json', 'taken'])
})

test.skipIf(process.platform !== 'linux')('a file that was replaced is not left open', async () => {
  await replaceDurably(join(folder.path, 'state.json'), 'one')
  const open = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`)
    } catch {
      // That of this list.
      return ''
    }
  })
  expect(open.filter((path) => path.startsWith(folder.path))).toEqual([])
})
