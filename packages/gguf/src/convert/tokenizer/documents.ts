import { type ConfigValues, isObject } from '../config-values.ts'
import { ConversionError } from '../errors.ts'

/** Parses one of a model's small files; one that is not there is empty. @throws ConversionError `gguf-tokenizer`. */
export function parseJson(documents: ReadonlyMap<string, string>, file: string): ConfigValues {
  const text = documents.get(file)
  if (text === undefined) return {}
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch {}
  throw new ConversionError({ code: 'gguf-tokenizer', file, what: 'is no JSON object', expected: 'one' })
}

/** The elements of a list that are objects; nothing where there is no list. */
export const objectsOf = (list: unknown): ConfigValues[] => (Array.isArray(list) ? list.filter(isObject) : [])
