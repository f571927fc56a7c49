import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
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

test('a card that can not be read states no license', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mk-license-'))
  expect(await readLicense(folder)).toBeUndefined()
  await mkdir(join(folder, 'README.md'))
  expect(await readLicense(folder)).toBeUndefined()
  await writeFile(join(folder, 'x'), '')
  expect(await readLicense(join(folder, 'x'))).toBeUndefined()
  await rm(folder, { recursive: true })
})
