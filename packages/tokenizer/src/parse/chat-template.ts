import { nearest } from '@mk/errors'
import { TokenizerError } from '../errors.ts'
import { isObject, type JsonObject, parseJsonObject } from './json.ts'
import { knownTemplates } from '../plan/known-templates.ts'

export interface ChatTemplate {
  /** The template used where none is named. */
  readonly text: string
  readonly file: 'chat_template.jinja' | 'chat_template.json' | 'tokenizer_config.json'
}

/** The default chat template of a folder; chat_template.jinja goes before the older places, as in transformers. */
export function parseChatTemplate(files: ReadonlyMap<string, string>): ChatTemplate | undefined {
  const jinja = files.get('chat_template.jinja')
  if (jinja !== undefined) return { text: jinja, file: 'chat_template.jinja' }
  for (const file of ['chat_template.json', 'tokenizer_config.json'] as const) {
    const json = files.get(file)
    const text = json === undefined ? undefined : defaultTemplate(parseJsonObject(json, file)['chat_template'])
    if (text !== undefined) return { text, file }
  }
  return undefined
}

/** A string, or a list of `{ name, template }` whose `default` counts. */
function defaultTemplate(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (isObject(value)) return typeof value['default'] === 'string' ? value['default'] : undefined
  if (!Array.isArray(value)) return undefined
  const found = value.filter(isObject).find(({ name }) => name === 'default')?.['template']
  return typeof found === 'string' ? found : undefined
}

/**
 * The text that `chat_template` of a merge config stands for: `auto` is the most common among the models (the first of
 * several), else the name of a known template, else a Jinja template itself. Undefined where `auto` finds none.
 *
 * @throws TokenizerError 'unknown-chat-template'
 */
export function resolveChatTemplate(
  setting: string,
  models: readonly { readonly chatTemplate: ChatTemplate | undefined }[],
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

/**
 * The files that a new chat template goes to: chat_template.jinja, and whichever older place of the output has one, so
 * that old and new readers agree.
 *
 * @param existing the output's tokenizer_config.json and chat_template.json as they would be without it
 */
export function planChatTemplateFiles(template: string, existing: ReadonlyMap<string, string>): Map<string, string> {
  const files = new Map([['chat_template.jinja', template]])
  for (const file of ['tokenizer_config.json', 'chat_template.json']) {
    const json = existing.get(file)
    if (json === undefined) continue
    const config: JsonObject = parseJsonObject(json, file)
    if ('chat_template' in config)
      files.set(file, `${JSON.stringify({ ...config, chat_template: template }, undefined, 2)}\n`)
  }
  return files
}
