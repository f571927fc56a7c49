import { isObject, parseJsonObject } from './json.ts'

/** The template that turns messages into a prompt, and the file that it is from. */
export interface ChatTemplate {
  /** The template used where none is named. */
  readonly text: string
  readonly file: 'chat_template.jinja' | 'chat_template.json' | 'tokenizer_config.json'
}

/** Finds the default chat template among a tokenizer's files; chat_template.jinja goes before the older places, as in transformers. */
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
