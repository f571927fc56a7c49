import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ifPresent, isSystemError, systemReason } from '@mk/errors'
import { readBytes } from '@mk/safetensors/node'
import type { ChatTemplate, IdDocuments, ModelTokenizer } from '../index.ts'
import { namingFolder, parseChatTemplate, parseTokenizer, TokenizerError } from '../index.ts'
import { limits } from '../limits.ts'
import { isSentencePiece, tokenizerFileRole, tokenizerFiles } from '../tokenizer-files.ts'

/**
 * Reads the tokenizer of a model folder. What is not there is no error: see `kind`.
 *
 * @param documents the folder's config.json and generation_config.json, parsed, for the ids of tokens that they name
 * @throws TokenizerError that names the file with its folder, where one is damaged or can't be read
 */
export async function readTokenizer(folder: string, documents?: IdDocuments): Promise<ModelTokenizer> {
  const files = await reading(folder, async () => readFiles(folder, await listFiles(folder)))
  return namingFolder(folder, () => parseTokenizer(files, documents))
}

/** Reads only the chat template, without the vocabulary. */
export async function readChatTemplate(folder: string): Promise<ChatTemplate | undefined> {
  const names = ['chat_template.jinja', 'chat_template.json', 'tokenizer_config.json']
  const files = await reading(folder, async () => {
    const isThere = await Promise.all(names.map((name) => ifPresent(stat(join(folder, name)))))
    return readFiles(
      folder,
      names.filter((_, index) => isThere[index] !== undefined),
    )
  })
  return namingFolder(folder, () => parseChatTemplate(files))
}

async function reading<T>(folder: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (!isSystemError(cause)) throw cause
    const { path: file = folder } = cause
    throw new TokenizerError({ code: 'tokenizer-unreadable', file, reason: systemReason(cause) }, { cause })
  }
}

const subfolders = new Set(tokenizerFiles.flatMap(({ name }) => (name.includes('/') ? [name.split('/')[0]!] : [])))

/** Lists the files of the tokenizer: what is a folder, or a link to nowhere, is left out. */
async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const inside = entries
    .filter((entry) => entry.isDirectory() && subfolders.has(entry.name))
    .map(async ({ name }) => (await readdir(join(folder, name))).map((file) => `${name}/${file}`))
  const paths = [...entries.map(({ name }) => name), ...(await Promise.all(inside)).flat()]
  const isFile = await Promise.all(
    paths.map(async (path) => {
      if (tokenizerFileRole(path) === undefined) return false
      return (await ifPresent(stat(join(folder, path))))?.isFile() === true
    }),
  )
  return paths.filter((_, index) => isFile[index])
}

/** Reads files that are there; one that is gone by now is no missing one, and an error. */
async function readFiles(folder: string, names: readonly string[]): Promise<Map<string, string>> {
  return new Map(await Promise.all(names.map(async (name) => [name, await readText(folder, name)] as const)))
}

/** Lists the files that are parsed; of all others at most a hash is taken. */
export const parsedTokenizerFiles: readonly string[] = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
]

/** Other spellings of the vocabulary are never parsed; of sentencepiece models a hash tells equal ones. */
async function readText(folder: string, name: string): Promise<string> {
  if (!parsedTokenizerFiles.includes(name) && !isSentencePiece(name)) return ''
  const bytes = await readBytes(join(folder, name), limits.fileBytes)
  return isSentencePiece(name) ? createHash('sha256').update(bytes).digest('hex') : bytes.toString('utf8')
}
