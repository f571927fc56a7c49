import type { FileRole } from '@mk/checkpoint'

/** Lists the roles of the files that make up a tokenizer. */
export const tokenizerRoles: readonly FileRole[] = ['vocabulary', 'tokenizer-settings', 'chat-template']
