import { ifPresent, isSystemError, systemReason } from '@mk/errors'
import { decodeText, type FileStore, joinPath, readBytes } from '@mk/source'
import { namingFolder, TokenizerError } from '../errors.ts'
import { limits } from '../limits.ts'
import { type ChatTemplate, parseChatTemplate } from '../parse/chat-template.ts'
import type { IdDocuments } from '../parse/list-token-ids.ts'
import type { ModelTokenizer } from '../parse/model-tokenizer.ts'
import type { KnownVocabularies } from '../parse/known-vocabularies.ts'
import { parseTokenizer } from '../parse/parse-tokenizer.ts'
import { isSentencePiece, tokenizerFileRole, tokenizerFiles } from '../tokenizer-files.ts'

/**
 * Reads the tokenizer of a model folder, wherever that is. What is not there is no error: see `kind`.
 *
 * @param documents the folder's config.json and generation_config.json, parsed, for the ids of tokens that they name
 * @param known what was read for other models of the same merge, which is added to
 * @throws TokenizerError that names the file with its folder, where one is damaged or can't be read
 */
export async function readTokenizerFrom(
  store: FileStore,
  folder: string,
  documents: IdDocuments = new Map(),
  known?: KnownVocabularies,
): Promise<ModelTokenizer> {
  const files = await reading(folder, async () => {
    const names = await listFiles(store, folder)
    return readEach(names, (name) => readContent(store, joinPath(folder, name), name))
  })
  return namingFolder(folder, () => parseTokenizer(files, documents, known))
}

/** The files of a model that isn't in one folder, by their names there: where each lies, or the text that it will have. */
export type FilesElsewhere = ReadonlyMap<string, { readonly file: string } | { readonly text: string }>

/**
 * Reads the tokenizer of a model whose files lie elsewhere.
 *
 * @param name of the model, for errors
 * @param documents and `known`: as for `readTokenizerFrom`
 * @throws TokenizerError
 */
export async function readTokenizerElsewhere(
  store: FileStore,
  name: string,
  files: FilesElsewhere,
  documents: IdDocuments = new Map(),
  known?: KnownVocabularies,
): Promise<ModelTokenizer> {
  const ofTokenizer = [...files.keys()].filter((file) => tokenizerFileRole(file) !== undefined)
  const contents = await reading(name, () =>
    readEach(ofTokenizer, (file) => {
      const place = files.get(file)!
      return 'text' in place ? place.text : readContent(store, place.file, file)
    }),
  )
  return namingFolder(name, () => parseTokenizer(contents, documents, known))
}

/** Reads only the chat template, without the vocabulary. @param elsewhere the files, where they are not in the folder */
export async function readChatTemplateFrom(
  store: FileStore,
  folder: string,
  elsewhere?: FilesElsewhere,
): Promise<ChatTemplate | undefined> {
  const names = ['chat_template.jinja', 'chat_template.json', 'tokenizer_config.json']
  const files = await reading(folder, async () => {
    if (elsewhere !== undefined)
      return readEach(
        names.filter((name) => elsewhere.has(name)),
        (name) => readTextElsewhere(store, name, elsewhere),
      )
    const kinds = await Promise.all(names.map((name) => kindOf(store, joinPath(folder, name))))
    return readEach(
      names.filter((_, index) => kinds[index] !== undefined),
      (name) => readText(store, joinPath(folder, name)),
    )
  })
  return namingFolder(folder, () => parseChatTemplate(files))
}

async function readTextElsewhere(store: FileStore, name: string, files: FilesElsewhere): Promise<string> {
  const place = files.get(name)!
  return 'text' in place ? place.text : readText(store, place.file)
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
async function listFiles(store: FileStore, folder: string): Promise<string[]> {
  const names = await store.list(folder)
  const inside = names
    .filter((name) => subfolders.has(name))
    .map(async (name) =>
      (await kindOf(store, joinPath(folder, name))) === 'folder'
        ? (await store.list(joinPath(folder, name))).map((file) => `${name}/${file}`)
        : [],
    )
  const paths = [...names, ...(await Promise.all(inside)).flat()].filter(
    (path) => tokenizerFileRole(path) !== undefined,
  )
  const kinds = await Promise.all(paths.map((path) => kindOf(store, joinPath(folder, path))))
  return paths.filter((_, index) => kinds[index] === 'file')
}

const kindOf = async (store: FileStore, path: string) => (await ifPresent(store.stat(path)))?.kind

/** Reads files that are there; one that is gone by now is no missing one, and an error. */
async function readEach<Content>(
  names: readonly string[],
  read: (name: string) => Content | Promise<Content>,
): Promise<Map<string, Content>> {
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
async function readContent(store: FileStore, path: string, name: string): Promise<string | Uint8Array> {
  if (isSentencePiece(name)) return hashOf(await readBytes(store, path, limits.fileBytes))
  if (!parsedTokenizerFiles.includes(name)) return ''
  return name === 'tokenizer.json' ? readBytes(store, path, limits.fileBytes) : readText(store, path)
}

const readText = async (store: FileStore, path: string): Promise<string> =>
  decodeText(await readBytes(store, path, limits.fileBytes))

async function hashOf(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
