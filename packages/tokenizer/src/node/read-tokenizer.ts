import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChatTemplate, ModelTokenizer } from '../index.ts'
import { parseChatTemplate, parseTokenizer } from '../index.ts'
import { companionFiles, idFiles, sentencePieceFiles, tokenizerFiles } from '../tokenizer-files.ts'

/**
 * The tokenizer of a model folder. What is not there is no error: see `kind`.
 *
 * @throws TokenizerError that names the file, where one is damaged
 */
export async function readTokenizer(folder: string): Promise<ModelTokenizer> {
  return parseTokenizer(await readFiles(folder, [...tokenizerFiles, ...companionFiles, ...idFiles]))
}

/** Only the chat template, without the vocabulary. */
export async function readChatTemplate(folder: string): Promise<ChatTemplate | undefined> {
  return parseChatTemplate(
    await readFiles(folder, ['chat_template.jinja', 'chat_template.json', 'tokenizer_config.json']),
  )
}

const isCompanion = (name: string): boolean => (companionFiles as readonly string[]).includes(name)

async function readFiles(folder: string, names: readonly string[]): Promise<Map<string, string>> {
  const files = await Promise.all(names.map(async (name) => [name, await readText(folder, name)] as const))
  return new Map(files.flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const])))
}

/** Other spellings of the vocabulary are never parsed; of sentencepiece models a hash tells equal ones. */
async function readText(folder: string, name: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(join(folder, name))
    if (sentencePieceFiles.includes(name)) return createHash('sha256').update(bytes).digest('hex')
    return isCompanion(name) ? '' : bytes.toString('utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
