import type { MergeConfig } from '@mk/config'
import type { GgufMetadata } from '@mk/gguf'
import { expect, test } from 'vitest'
import type { MergePlan } from '../plan/merge-plan.ts'
import { withChatTemplate } from './with-chat-template.ts'

const text = (value: string) => ({ type: 'string', value }) as const
const metadata: GgufMetadata = new Map([
  ['general.name', text('x')],
  ['tokenizer.chat_template', text('old')],
  ['tokenizer.chat_template.tool_use', text('old')],
  ['tokenizer.chat_templates', text('names')],
  ['last', text('y')],
])
const plan = (name: string) => ({ documents: [{ name, text: 'new' }] }) as unknown as MergePlan
const config = (chatTemplate?: string) => ({ chatTemplate }) as MergeConfig

test('the chat template that is asked for stands in the place of all others', () => {
  expect([...withChatTemplate(metadata, config('auto'), plan('chat_template.jinja'))]).toEqual([
    ['general.name', text('x')],
    ['tokenizer.chat_templates', text('names')],
    ['last', text('y')],
    ['tokenizer.chat_template', text('new')],
  ])
})

test('without one the metadata stays', () => {
  expect(withChatTemplate(metadata, config(), plan('chat_template.jinja'))).toBe(metadata)
  expect(withChatTemplate(metadata, config('auto'), plan('tokenizer.json'))).toBe(metadata)
})
