import { nearest } from '@mk/errors'
import { TokenizerError } from '../errors.ts'
import type { ChatTemplate } from '../parse/chat-template.ts'
import { knownTemplates } from './known-templates.ts'

/**
 * Finds the text that `chat_template` of a merge config stands for: `auto` is the most common among the models (the first of
 * several), else the name of a known template, else a Jinja template itself. Undefined where `auto` finds none.
 *
 * @throws TokenizerError 'unknown-chat-template'
 */
export function resolveChatTemplate(
  setting: string,
  models: readonly { readonly chatTemplate: Pick<ChatTemplate, 'text'> | undefined }[],
): string | undefined {
  if (setting === 'auto') return mostCommon(models.flatMap(({ chatTemplate }) => chatTemplate?.text.trim() || []))
  const known = knownTemplates.get(setting)
  if (known !== undefined) return known
  if (/\{[{%]/.test(setting)) return setting
  const names = [...knownTemplates.keys()]
  throw new TokenizerError({
    code: 'unknown-chat-template',
    name: setting,
    known: names,
    nearest: nearest(setting, [...names, 'auto']),
  })
}

function mostCommon(texts: readonly string[]): string | undefined {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  const most = Math.max(...counts.values())
  return [...counts.keys()].find((text) => counts.get(text) === most)
}
