import type { MergeConfig } from '@mk/config'
import type { GgufMetadata } from '@mk/gguf'
import type { MergePlan } from '../plan/merge-plan.ts'

const key = 'tokenizer.chat_template'

/** Gives what another GGUF says the chat template that the recipe asks for, in place of its own. */
export function withChatTemplate(
  metadata: GgufMetadata,
  { chatTemplate }: MergeConfig,
  { documents }: MergePlan,
): GgufMetadata {
  const asked = documents.find(({ name }) => name === 'chat_template.jinja')
  if (chatTemplate === undefined || asked === undefined) return metadata
  const others = [...metadata].filter(([name]) => name !== key && !name.startsWith(`${key}.`))
  return new Map([...others, [key, { type: 'string', value: asked.text }]])
}
