import { describe, expect, it } from 'vitest'
import { parseChatTemplate } from '../index.ts'

const files = (entries: Record<string, unknown>) =>
  new Map(
    Object.entries(entries).map(([name, content]) => [
      name,
      typeof content === 'string' ? content : JSON.stringify(content),
    ]),
  )

describe('parseChatTemplate', () => {
  it('takes chat_template.jinja before chat_template.json before tokenizer_config.json', () => {
    const all = {
      'tokenizer_config.json': { chat_template: 'c' },
      'chat_template.json': { chat_template: 'b' },
      'chat_template.jinja': 'a',
    }
    expect(parseChatTemplate(files(all))).toEqual({ text: 'a', file: 'chat_template.jinja' })
    const { 'chat_template.jinja': _, ...older } = all
    expect(parseChatTemplate(files(older))).toEqual({ text: 'b', file: 'chat_template.json' })
    expect(parseChatTemplate(files({ 'tokenizer_config.json': all['tokenizer_config.json'] }))).toEqual({
      text: 'c',
      file: 'tokenizer_config.json',
    })
  })

  it.each([
    [
      [
        { name: 'tool_use', template: 't' },
        { name: 'default', template: 'd' },
      ],
    ],
    [{ default: 'd', rag: 'r' }],
  ])('takes the default of several: %j', (chat_template) => {
    expect(parseChatTemplate(files({ 'tokenizer_config.json': { chat_template } }))?.text).toBe('d')
  })

  it.each([undefined, null, 7, [], [{ name: 'rag', template: 'r' }], {}])('finds none in %j', (chat_template) => {
    expect(parseChatTemplate(files({ 'tokenizer_config.json': { chat_template } }))).toBeUndefined()
  })
})
