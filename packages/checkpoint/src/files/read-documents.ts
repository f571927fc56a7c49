import { decodeText, type FileStore, joinPath, readBytes } from '@mk/source'
import type { Checkpoint, JsonDocument } from '../checkpoint.ts'
import { CheckpointError } from '../errors.ts'
import { parsePythonJson } from '../json/parse-json.ts'
import { limits } from '../limits.ts'
import { describeDisguise, promisedBy } from './disguise.ts'
import type { FileStates } from './file-states.ts'
import { readingIfListed } from './read-file.ts'

export interface ReadDocuments {
  readonly documents: Checkpoint['documents']
  readonly notes: readonly string[]
}

/** Stands for what has no config. */
export const noDocuments: ReadDocuments = { documents: new Map(), notes: [] }

/**
 * Reads config.json and generation_config.json of a model's folder, as far as they are there. A broken generation_config.json
 * is left out with a note, since transformers does without one, too.
 * @param listed what is in the folder
 * @throws CheckpointError `config-json` where config.json holds no JSON object; `unreadable-model`
 */
export async function readDocuments(store: FileStore, folder: string, listed: FileStates): Promise<ReadDocuments> {
  const documents = new Map<JsonDocument['name'], JsonDocument>()
  const notes: string[] = []
  const read = (name: JsonDocument['name']) => readDocument(store, { file: joinPath(folder, name), name }, listed)
  const config = await read('config.json')
  if (config === undefined) return noDocuments
  documents.set(config.name, config)
  try {
    const generation = await read('generation_config.json')
    if (generation !== undefined) documents.set(generation.name, generation)
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.code !== 'config-json') throw error
    notes.push(`${error.message}; it counts as having no settings`)
  }
  return { documents, notes }
}

/**
 * Reads config.json or generation_config.json of a model's folder; undefined where there is none.
 * @throws CheckpointError `config-json` where it holds no JSON object; `unreadable-model`
 */
async function readDocument(
  store: FileStore,
  { file, name }: { readonly file: string; readonly name: JsonDocument['name'] },
  listed: FileStates,
): Promise<JsonDocument | undefined> {
  const bytes = await readingIfListed(file, listed, () => readBytes(store, file, limits.documentBytes))
  if (bytes === undefined) return undefined
  const text = decodeText(bytes)
  const fail = (reason: string, cause?: unknown): never => {
    throw new CheckpointError({ code: 'config-json', file, reason }, { cause })
  }
  const disguise = describeDisguise(bytes, promisedBy(file))
  if (disguise !== undefined) return fail(disguise)
  let value: unknown
  try {
    value = parsePythonJson(text)
  } catch (cause) {
    return fail((cause as Error).message, cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail('it holds no object')
  return { name, text, value: value as JsonDocument['value'] }
}
