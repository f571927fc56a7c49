import { quoted } from '@mk/errors'
import { SafetensorsError } from './errors.ts'
import { isJsonObject, jsonKind, parseJson } from './json.ts'
import { indexLimits, limits } from './limits.ts'

/** The files of a sharded checkpoint by tensor (`model.safetensors.index.json`, `pytorch_model.bin.index.json`). */
export interface ShardIndex {
  /** File name, relative to the folder of the index, by tensor name. */
  readonly weightMap: ReadonlyMap<string, string>
  readonly metadata: Readonly<Record<string, unknown>>
}

/**
 * Parses the text of an index.
 * @throws SafetensorsError `bad-index`, `duplicate-key`, or `unsafe-path` where a file is named outside the folder.
 */
export function parseIndex(text: string, file?: string): ShardIndex {
  const fail = (reason: string): never => {
    throw new SafetensorsError({ code: 'bad-index', reason }, file)
  }
  if (text.length > limits.indexCharacters)
    return fail(`${text.length} characters, where at most ${limits.indexCharacters} are read`)
  const json = parseJson(text, indexLimits, file, (reason) => new SafetensorsError({ code: 'bad-index', reason }, file))
  if (!isJsonObject(json)) return fail(`expected an object, found ${jsonKind(json)}`)
  const { weight_map: weightMap, metadata = {} } = json
  if (!isJsonObject(weightMap))
    return fail(`weight_map must be an object that maps tensors to files, found ${jsonKind(weightMap)}`)
  if (!isJsonObject(metadata)) return fail(`metadata must be an object, found ${jsonKind(metadata)}`)
  const shardOf = new Map<string, string>()
  const paths = new Map<string, string>()
  for (const tensor of Object.keys(weightMap)) {
    const path = weightMap[tensor]
    if (typeof path !== 'string')
      return fail(`weight_map must name a file for tensor ${quoted(tensor)}, found ${jsonKind(path)}`)
    let shared = paths.get(path)
    if (shared === undefined) {
      if (!isInsideFolder(path)) throw new SafetensorsError({ code: 'unsafe-path', tensor, path }, file)
      paths.set(path, (shared = path))
    }
    shardOf.set(tensor, shared)
  }
  return { weightMap: shardOf, metadata }
}

/** Writes the text of an index, formatted as other writers do. */
export function formatIndex(
  weightMap: ReadonlyMap<string, string>,
  metadata: Readonly<Record<string, unknown>>,
): string {
  return `${JSON.stringify({ metadata, weight_map: Object.fromEntries(weightMap) }, undefined, 2)}\n`
}

function isInsideFolder(path: string): boolean {
  const parts = path.split('/')
  return (
    !/[\\\0]/.test(path) &&
    !/^[A-Za-z]:/.test(path) &&
    parts.every((part) => part !== '' && part !== '..' && part !== '.')
  )
}
