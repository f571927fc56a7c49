import type { GgufMetadata, GgufValue } from '../../metadata.ts'
import { ConversionError } from '../errors.ts'

/** Takes `tokenizer.*` from another GGUF. @throws ConversionError 'gguf-vocabulary' where its tokens aren't as many as the rows */
export function takeVocabulary(
  metadata: GgufMetadata,
  rows: number,
): { readonly metadata: readonly [string, GgufValue][]; readonly notices: readonly [] } {
  checkTokenCount(metadata, rows)
  return { metadata: [...metadata].filter(([key]) => key.startsWith('tokenizer.')), notices: [] }
}

/** llama.cpp has a row for each token. @throws ConversionError 'gguf-vocabulary' */
export function checkTokenCount(metadata: GgufMetadata, rows: number): void {
  const tokens = metadata.get('tokenizer.ggml.tokens')
  if (tokens?.type === 'array' && tokens.values.length !== rows)
    throw new ConversionError({ code: 'gguf-vocabulary', tokens: tokens.values.length, rows })
}
