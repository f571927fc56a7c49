import { defineIssues, quoted, shortened, usage } from '@mk/errors'

const maxShown = 12

/** Declares what can be wrong with a GGUF as a model. */
export const ggufModelIssues = defineIssues({
  'gguf-several': usage<{ readonly model: string; readonly files: readonly string[] }>(
    ({ model, files }) =>
      `${model} has ${files.length} models in GGUF; expected the path of one of them: ${files
        .slice(0, maxShown)
        .map((file) => shortened(`${model}/${file}`))
        .join(', ')}${files.length > maxShown ? ', …' : ''}`,
  ),
  'gguf-kind': usage<{ readonly file: string; readonly found: string }>(
    ({ file, found }) => `${file}: general.type is ${quoted(found)}; expected the GGUF of a model`,
  ),
  'gguf-undecoded': usage<{
    readonly file: string
    readonly tensor: string
    readonly type: string
    readonly expected: readonly string[]
  }>(
    ({ file, tensor, type, expected }) =>
      `${file}: ${quoted(tensor)} is quantized as ${type}, which can't be merged; expected ${expected.join(', ')}`,
  ),
})
