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
  const files = await reading(folder, async () =>
    readEach(await listFiles(folder), (name) => readText(join(folder, name), name)),
  )
  return namingFolder(folder, () => parseTokenizer(files, documents))
}

/** The files of a model that isn't in one folder, by their names there: where each lies, or the text that it will have. */
export type FilesElsewhere = ReadonlyMap<string, { readonly file: string } | { readonly text: string }>

/**
 * Reads the tokenizer of a model whose files lie elsewhere.
 *
 * @param name of the model, for errors
 * @param documents as for `readTokenizer`
 * @throws TokenizerError
 */
export async function readTokenizerElsewhere(
  name: string,
  files: FilesElsewhere,
  documents?: IdDocuments,
): Promise<ModelTokenizer> {
  const ofTokenizer = [...files.keys()].filter((file) => tokenizerFileRole(file) !== undefined)
  const texts = await reading(name, () => readEach(ofTokenizer, (file) => readElsewhere(file, files)))
  return namingFolder(name, () => parseTokenizer(texts, documents))
}

/** Reads only the chat template, without the vocabulary. @param elsewhere the files, where they are not in the folder */
export async function readChatTemplate(folder: string, elsewhere?: FilesElsewhere): Promise<ChatTemplate | undefined> {
  const names = ['chat_template.jinja', 'chat_template.json', 'tokenizer_config.json']
  const files = await reading(folder, async () => {
    if (elsewhere !== undefined)
      return readEach(
        names.filter((name) => elsewhere.has(name)),
        (name) => readElsewhere(name, elsewhere),
      )
    const isThere = await Promise.all(names.map((name) => ifPresent(stat(join(folder, name)))))
    return readEach(
      names.filter((_, index) => isThere[index] !== undefined),
      (name) => readText(join(folder, name), name),
    )
  })
  return namingFolder(folder, () => parseChatTemplate(files))
}

async function readElsewhere(name: string, files: FilesElsewhere): Promise<string> {
  const place = files.get(name)!
  return 'text' in place ? place.text : readText(place.file, name)
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
async function readEach(
  names: readonly string[],
  read: (name: string) => Promise<string>,
): Promise<Map<string, string>> {
  return new Map(await Promise.all(names.map(async (name) => [name, await read(name)] as const)))
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
async function readText(path: string, name: string): Promise<string> {
  if (!parsedTokenizerFiles.includes(name) && !isSentencePiece(name)) return ''
  const bytes = await readBytes(path, limits.fileBytes)
  return isSentencePiece(name) ? createHash('sha256').update(bytes).digest('hex') : bytes.toString('utf8')
}
