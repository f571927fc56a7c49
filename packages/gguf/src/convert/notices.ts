import { quoted, shortened } from '@mk/errors'

/** What a person should know of a conversion that works. */
export type ConversionNotice =
  /** A setting that llama.cpp does not heed. */
  | { readonly code: 'gguf-setting-ignored'; readonly path: string; readonly found: string }
  /** Tensors without a place in the file. */
  | { readonly code: 'gguf-tensors-left-out'; readonly tensors: readonly string[]; readonly why: string }

/** Says a notice in a sentence. */
export function explainConversionNotice(notice: ConversionNotice): string {
  switch (notice.code) {
    case 'gguf-setting-ignored':
      return `config.json: ${shortened(notice.path)} is ${shortened(notice.found)}, which llama.cpp does not heed for this family: it attends to all positions`
    case 'gguf-tensors-left-out': {
      const more = notice.tensors.length > 1 ? ` and ${notice.tensors.length - 1} more` : ''
      return `tensor ${quoted(notice.tensors[0]!)}${more} stays out of the GGUF: ${notice.why}`
    }
    default:
      return notice satisfies never
  }
}
