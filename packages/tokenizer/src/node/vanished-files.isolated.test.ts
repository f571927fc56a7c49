import type * as safetensors from '@mk/safetensors/node'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { readChatTemplate, readTokenizer } from './index.ts'

const gone = vi.hoisted(() => ({ name: '' }))
vi.mock('@mk/safetensors/node', async (importOriginal) => {
  const original = await importOriginal<typeof safetensors>()
  return {
    ...original,
    async readBytes(path: string, limit: number) {
      if (basename(path) === gone.name) await rm(path)
      return original.readBytes(path, limit)
    },
  }
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vanished-'))
})
afterAll(() => rm(folder, { recursive: true }))

test.each([
  ['tokenizer.json', '{}', readTokenizer],
  ['tokenizer_config.json', '{}', readTokenizer],
  ['special_tokens_map.json', '{}', readTokenizer],
  ['tokenizer.model', 'x', readTokenizer],
  ['chat_template.jinja', 'x', readChatTemplate],
  ['tokenizer_config.json', '{}', readChatTemplate],
])('%s that goes while it is read is an error, and not the lack of one', async (name, text, read) => {
  await writeFile(join(folder, name), text)
  gone.name = name
  await expect(read(folder)).rejects.toMatchObject({
    code: 'tokenizer-unreadable',
    issue: { file: join(folder, name), reason: 'there is no such file or folder' },
  })
})
