import { quoted, shortened } from '@mk/errors'
import { some } from './errors.ts'

/** What a person should know of a conversion that works. */
export type ConversionNotice =
  /** A setting that llama.cpp does not heed. */
  | { readonly code: 'gguf-setting-ignored'; readonly path: string; readonly found: string }
  /** Layers that llama.cpp computes by their numbers, which are others now. */
  | { readonly code: 'gguf-layers-by-number'; readonly architecture: string }
  /** Tokens beyond the rows of the embedding, which no text may have. */
  | { readonly code: 'gguf-tokens-without-row'; readonly tokens: readonly string[]; readonly rows: number }
  /** A name that was given for the way in which text is split, which may be misspelled. */
  | { readonly code: 'gguf-pre-unknown'; readonly name: string; readonly known: readonly string[] }
  /** Tensors without a place in the file. */
  | { readonly code: 'gguf-tensors-left-out'; readonly tensors: readonly string[]; readonly why: string }

/** Says a notice in a sentence. */
export function explainConversionNotice(notice: ConversionNotice): string {
  switch (notice.code) {
    case 'gguf-setting-ignored':
      return `config.json: ${shortened(notice.path)} is ${shortened(notice.found)}, which llama.cpp does not heed for this family: it attends to all positions`
    case 'gguf-layers-by-number':
      return `llama.cpp computes layers of ${shortened(notice.architecture)} differently by their numbers, and slices have moved some: a layer may be computed as it was not trained`
    case 'gguf-tokens-without-row':
      return `added tokens stay out of the GGUF, since the embedding has only ${notice.rows} rows: ${some(notice.tokens)}`
    case 'gguf-pre-unknown':
      return `the way in which text is split is called ${quoted(notice.name)}, as was asked for, which is none of the names that are known here (${notice.known.join(', ')}): llama.cpp loads the file only if it has that name`
    case 'gguf-tensors-left-out':
      return `tensors stay out of the GGUF, ${notice.why}: ${some(notice.tensors)}`
    default:
      return notice satisfies never
  }
}
