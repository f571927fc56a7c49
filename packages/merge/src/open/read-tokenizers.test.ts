import { join } from 'node:path'
import { rm } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { openCheckpoint } from '@mk/checkpoint'
import { parseModelReference } from '@mk/config'
import { nodeFiles } from '@mk/source/node'
import { openTokenizers } from './read-tokenizers.ts'

const folder = useFolder()
const tokenizer = JSON.stringify({
  model: { type: 'WordLevel', vocab: { u: 0, a: 1 }, unk_token: 'u' },
  added_tokens: [],
})

async function openBoth(files: Readonly<Record<string, string>>) {
  await writeLlamas(folder.path, { a: { files: { 'tokenizer.json': tokenizer } }, b: { files } })
  const checkpoints = await Promise.all(
    ['a', 'b'].map((name) => openCheckpoint(parseModelReference(name), { roots: [folder.path] })),
  )
  return openTokenizers({ store: nodeFiles, checkpoints })
}

test('a tokenizer is read when it is first asked for, and never again', async () => {
  const tokenizers = await openBoth({ 'tokenizer.json': tokenizer })
  const first = await tokenizers.read(0)
  await rm(join(folder.path, 'a', 'tokenizer.json'))
  await rm(join(folder.path, 'b', 'tokenizer.json'))
  expect(await tokenizers.read(0)).toBe(first)
  expect(await tokenizers.readIfSound(0)).toBe(first)
  expect(first).toHaveProperty('ids')
  expect(await tokenizers.read(1)).not.toHaveProperty('ids')
})

test('one that is damaged is no tokenizer to those who only look, and an error to those who need it', async () => {
  const tokenizers = await openBoth({ 'tokenizer.json': '{"model": 1}' })
  expect(await tokenizers.readIfSound(1)).toBeUndefined()
  await expect(tokenizers.read(1)).rejects.toMatchObject({ name: 'TokenizerError' })
})
