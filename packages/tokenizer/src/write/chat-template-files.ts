import { type JsonObject, parseJsonObject } from '../parse/json.ts'

/**
 * Writes a new chat template into the files that hold one: chat_template.jinja, and whichever older place of the output has one, so
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
