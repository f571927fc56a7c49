import { findJsonExcess } from '@mk/safetensors'
import { TokenizerError } from '../errors.ts'
import { jsonLimits, limits } from '../limits.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/**
 * Parses a JSON file of a tokenizer.
 *
 * @throws TokenizerError 'tokenizer-limit', 'tokenizer-not-json', 'tokenizer-shape'
 */
export function parseJsonObject(text: string, file: string): JsonObject {
  const excess =
    text.length > limits.characters
      ? `${text.length} characters, where at most ${limits.characters} are read`
      : findJsonExcess(text, jsonLimits)
  if (excess !== undefined) throw new TokenizerError({ code: 'tokenizer-limit', file, excess })
  let value: unknown
  try {
    value = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
  } catch (cause) {
    throw new TokenizerError({ code: 'tokenizer-not-json', file, reason: (cause as Error).message }, { cause })
  }
  return expectObject(value, file, 'the file')
}

/** Gives the value back if it is a JSON object. @throws TokenizerError 'tokenizer-shape' */
export function expectObject(value: unknown, file: string, path: string): JsonObject {
  if (!isObject(value)) throw new TokenizerError({ code: 'tokenizer-shape', file, path, expected: 'a JSON object' })
  return value
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
