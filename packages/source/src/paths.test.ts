import { posix, win32 } from 'node:path'
import { expect, test } from 'vitest'
import { folderOfPath, joinPath, nameOfPath } from './paths.ts'

test.each([
  ['/models/a', 'config.json'],
  ['/models/a/', 'sub/x.safetensors'],
  ['/models/a', './x.safetensors'],
  ['/models/a', '../b/x'],
  ['/', 'x'],
  ['models', 'x'],
  ['/has\\backslash', 'x'],
  ['', 'x'],
  ['', 'a/../b/x'],
])('joins %s and %s as Node does', (folder, name) => {
  expect(joinPath(folder, name)).toBe(posix.join(folder, name))
})

test.each([
  ['C:\\models\\a', 'sub/x.safetensors'],
  ['C:\\', 'x'],
])('joins %s and %s as Node does on Windows', (folder, name) => {
  expect(joinPath(folder, name)).toBe(win32.join(folder, name))
})

test.each(['/models/a/x.gguf', '/x', 'x.gguf', 'a/b'])('takes %s apart as Node does', (path) => {
  expect([folderOfPath(path), nameOfPath(path)]).toEqual([posix.dirname(path), posix.basename(path)])
})

test('takes a path of Windows apart', () => {
  expect([folderOfPath('C:\\a\\x.gguf'), nameOfPath('C:\\a\\x.gguf')]).toEqual(['C:\\a', 'x.gguf'])
})
