import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFiles } from '@mk/source/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPickle } from './open-pickle.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pickle-bombs-'))
})
afterAll(() => rm(folder, { recursive: true }))

const protocol = '\x80\x02'
/** The pickles before the object in torch's older format: magic number and version, and an empty dict for the machine. */
const start = `${protocol}\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.${protocol}M\xe9\x03.${protocol}}.`

const open = async (...parts: readonly string[]): Promise<unknown> => {
  const file = join(folder, 'model.bin')
  await writeFile(file, Buffer.from(`${start}${protocol}${parts.join('')}`, 'latin1'))
  return openPickle(nodeFiles, [file])
}

const longList = `]q\0(${'N'.repeat(100_000)}e`

describe('pickles whose calls copy more than the file has', () => {
  it.each([
    ['a set of a long list', `${longList}cbuiltins\nset\nq\x01${'h\x01h\0\x85R'.repeat(2000)}`],
    ['a torch.Size of a long list', `${longList}ctorch\nSize\nq\x01${'h\x01h\0\x85R'.repeat(2000)}`],
    [
      'an OrderedDict of many pairs',
      `]q\0(${'K\x01K\x02\x86'.repeat(100_000)}eccollections\nOrderedDict\nq\x01${'h\x01h\0\x85R0'.repeat(1000)}`,
    ],
    [
      'a long text encoded',
      `X\0\0\x10\0${'a'.repeat(2 ** 20)}q\0X\x06\0\0\0latin1q\x01c_codecs\nencode\nq\x02${'h\x02h\0h\x01\x86R'.repeat(2000)}`,
    ],
    ['a million dicts', '}'.repeat(1e6)],
  ])('%s, again and again', async (_, pickle) => {
    await expect(open(pickle)).rejects.toMatchObject({ name: 'CheckpointError', code: 'pickle-limit' })
  })

  it('a call of a call of a call, deeper than the stack', async () => {
    const nested = `ctorch._tensor\n_rebuild_from_type_v2\nq\0)q\x01${'0h\0Nh\x01\x87q\x01'.repeat(100_000)}0h\0h\x01R`
    await expect(open(nested)).rejects.toMatchObject({ code: 'pickle-call' })
  })
})
