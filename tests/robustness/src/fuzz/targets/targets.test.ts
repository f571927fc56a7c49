import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createRandom } from '../../random.mjs'
import { targets } from './index.mjs'

const work = mkdtempSync(join(tmpdir(), 'mk-targets-'))
const [folder, outside] = [join(work, 'folder'), join(work, 'outside')]
for (const path of [folder, outside]) mkdirSync(path)
afterAll(() => rmSync(work, { recursive: true }))

describe.each([...targets.values()])('$name', ({ name, open }) => {
  test('makes the same input of the same seed, and others of others', async () => {
    const { make, close } = await open({ folder, outside })
    const made = (index: number) => Buffer.from(make(createRandom(`${name}/1/${index}`))).toString('base64')
    const inputs = Array.from({ length: 20 }, (_, index) => made(index))
    await close?.()
    expect(inputs).toEqual(Array.from({ length: 20 }, (_, index) => made(index)))
    expect(new Set(inputs).size).toBeGreaterThan(5)
  })
})
