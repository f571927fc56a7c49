import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

const patterns = [
  /^(tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|encoder|tekken|chat_template|generation_config)\.json$/,
  /^(vocab\.txt|vocab\.bpe|merges\.txt)$/,
  /^[\w.-]+\.(model|tiktoken|jinja)$/,
  /^(preprocessor_config|processor_config|image_processor_config|video_preprocessor_config|feature_extractor_config)\.json$/,
  /^(modules|config_sentence_transformers|sentence_\w+_config)\.json$/,
]
const folders: readonly (readonly [RegExp, RegExp])[] = [
  [/^additional_chat_templates$/, /\.jinja$/],
  [/^\d+_(Pooling|Dense|Normalize)$/, /^config\.json$/],
]

/**
 * The small files of a model's folder that an output may copy, as paths inside it, in alphabetical order: tokenizer, chat
 * templates, generation and preprocessor settings; and its Python modules, where the model brings its own.
 */
export async function listSmallFiles(
  folder: string,
  config: Readonly<Record<string, unknown>> | undefined,
): Promise<string[]> {
  const names = (await readdir(folder)).sort()
  const hasOwnCode = config?.['auto_map'] !== undefined || names.some((name) => /^tokenization_\w+\.py$/.test(name))
  const wanted = names.filter(
    (name) => patterns.some((pattern) => pattern.test(name)) || (hasOwnCode && isPython(name)),
  )
  for (const name of names) {
    for (const [inFolder, pattern] of folders) {
      if (inFolder.test(name))
        wanted.push(
          ...(await readdir(join(folder, name)).catch(() => []))
            .filter((file) => pattern.test(file))
            .map((file) => `${name}/${file}`),
        )
    }
  }
  const areFiles = await Promise.all(
    wanted.map((name) =>
      stat(join(folder, name)).then(
        (found) => found.isFile(),
        () => false,
      ),
    ),
  )
  return wanted.filter((_, index) => areFiles[index]).sort()
}

export const isPython = (name: string): boolean => /^[\w.-]+\.py$/.test(name)
