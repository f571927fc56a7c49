import { nodeFiles } from '@mk/source/node'
import type { ChatTemplate } from '../parse/chat-template.ts'
import type { IdDocuments } from '../parse/list-token-ids.ts'
import type { ModelTokenizer } from '../parse/model-tokenizer.ts'
import { readChatTemplateFrom, readTokenizerFrom } from '../read/read-tokenizer.ts'

/**
 * Reads the tokenizer of a model folder of this machine. What is not there is no error: see `kind`.
 *
 * @param documents the folder's config.json and generation_config.json, parsed, for the ids of tokens that they name
 * @throws TokenizerError that names the file with its folder, where one is damaged or can't be read
 */
export const readTokenizer = (folder: string, documents?: IdDocuments): Promise<ModelTokenizer> =>
  readTokenizerFrom(nodeFiles, folder, documents)

/** Reads only the chat template, without the vocabulary. */
export const readChatTemplate = (folder: string): Promise<ChatTemplate | undefined> =>
  readChatTemplateFrom(nodeFiles, folder)
