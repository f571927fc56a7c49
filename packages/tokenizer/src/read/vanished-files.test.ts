import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FileStore } from '@mk/source'
import { nodeFiles } from '@mk/source/node'
import { readChatTemplateFrom, readTokenizerFrom } from './read-tokenizer.ts'

let gone = ''
const store: FileStore = {
  ...nodeFiles,
  async withFile(path, use) {
    if (basename(path) === gone) await rm(path)
    return nodeFiles.withFile(path, use)
  },
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vanished-'))
})
afterAll(() => rm(folder, { recursive: true }))

test.each([
  ['tokenizer.json', '{}', readTokenizerFrom],
  ['tokenizer_config.json', '{}', readTokenizerFrom],
  ['special_tokens_map.json', '{}', readTokenizerFrom],
  ['tokenizer.model', 'x', readTokenizerFrom],
  ['chat_template.jinja', 'x', readChatTemplateFrom],
  ['tokenizer_config.json', '{}', readChatTemplateFrom],
])('%s that goes while it is read is an error, and not the lack of one', async (name, text, read) => {
  await writeFile(join(folder, name), text)
  gone = name
  await expect(read(store, folder)).rejects.toMatchObject({
    code: 'tokenizer-unreadable',
    issue: { file: join(folder, name), reason: 'there is no such file or folder' },
  })
})
