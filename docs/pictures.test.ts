import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { pictures } from '../scripts/pictures/pictures.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const drawings = pictures as Readonly<Record<string, (root: string) => string | Promise<string>>>
const read = (name: string) => readFileSync(new URL(`pictures/${name}.svg`, import.meta.url), 'utf8')

test('every picture is drawn by the script', () => {
  expect(readdirSync(new URL('pictures', import.meta.url)).toSorted()).toEqual(
    Object.keys(drawings)
      .map((name) => `${name}.svg`)
      .toSorted(),
  )
})

// The session has times in it, and runs the built command.
test.each(Object.keys(drawings).filter((name) => name !== 'session'))(
  "docs/pictures/%s.svg is what 'npm run pictures' draws",
  async (name) => {
    expect((await drawings[name]!(root)) === read(name)).toBe(true)
  },
)

test('the session names no folder of the machine that it was recorded on', () => {
  expect(read('session')).toContain('merged: 57 tensors')
  expect(read('session')).not.toMatch(/\/(tmp|home|work|root|Users)\//)
})
