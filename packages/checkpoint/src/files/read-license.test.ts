import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFiles } from '@mk/source/node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readFileStates } from './file-states.ts'
import { parseLicense, readLicense } from './read-license.ts'

test.each([
  ['---\nlicense: apache-2.0\n---\n# A', { id: 'apache-2.0' }],
  ['---\r\ntags:\r\n- x\r\nlicense: "MIT" # free\r\n---\r\n', { id: 'mit' }],
  ['---\nlicense:\n- cc-by-nc-4.0\n---\n', { id: 'cc-by-nc-4.0' }],
  ["---\nlicense: ['llama3.1']\n---", { id: 'llama3.1' }],
  [
    '---\nlicense: other\nlicense_name: qwen-research\nlicense_link: https://x.org/LICENSE\n---\n',
    { id: 'other', name: 'qwen-research', link: 'https://x.org/LICENSE' },
  ],
  ['# no settings\nlicense: mit\n', undefined],
  ['---\ntags: [a]\n---\nlicense: mit', undefined],
  ['---\nlicense: "](http://x) <b>"\n---\n', undefined],
  ['---\nlicense: mit', undefined],
  ['', undefined],
])('the license of the card %j', (card, license) => {
  expect(parseLicense(card)).toEqual(license)
})

describe('of a folder', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mk-license-'))
  })
  afterEach(() => rm(folder, { recursive: true }))
  const read = async () => readLicense(nodeFiles, folder, await readFileStates(nodeFiles, folder, true))

  test('without a card, or where that is no file, none is stated', async () => {
    expect(await read()).toBeUndefined()
    await mkdir(join(folder, 'README.md'))
    expect(await read()).toBeUndefined()
    await rm(join(folder, 'README.md'), { recursive: true })
    await symlink('nowhere', join(folder, 'README.md'))
    expect(await read()).toBeUndefined()
  })

  test('whose card is longer than its settings may be, it is found at the top only', async () => {
    await writeFile(join(folder, 'README.md'), `---\nlicense: mit\n---\n${'x'.repeat(70_000)}`)
    expect(await read()).toEqual({ id: 'mit' })
    await writeFile(join(folder, 'README.md'), `---\n${'#'.repeat(2 ** 16)}\nlicense: mit\n---\n`)
    expect(await read()).toBeUndefined()
  })

  test('whose card is gone since the folder was listed, it is an error, and not the lack of one', async () => {
    const card = join(folder, 'README.md')
    await expect(readLicense(nodeFiles, folder, new Map([[card, '']]))).rejects.toMatchObject({
      code: 'unreadable-model',
      issue: { file: card, reason: 'there is no such file or folder' },
    })
  })
})
