import { describe, expect, it } from 'vitest'
import { planChatTemplateFiles } from '../index.ts'

const files = (entries: Record<string, unknown>) =>
  new Map(
    Object.entries(entries).map(([name, content]) => [
      name,
      typeof content === 'string' ? content : JSON.stringify(content),
    ]),
  )

describe('planChatTemplateFiles', () => {
  it('writes chat_template.jinja', () => {
    expect([...planChatTemplateFiles('t', files({ 'tokenizer_config.json': { bos_token: '<s>' } }))]).toEqual([
      ['chat_template.jinja', 't'],
    ])
  })

  it('also replaces the template where an older place has one', () => {
    const written = planChatTemplateFiles(
      't',
      files({
        'tokenizer_config.json': { chat_template: 'old', bos_token: '<s>' },
        'chat_template.json': { chat_template: 'old' },
      }),
    )
    expect([...written.keys()]).toEqual(['chat_template.jinja', 'tokenizer_config.json', 'chat_template.json'])
    expect(JSON.parse(written.get('tokenizer_config.json')!)).toEqual({ chat_template: 't', bos_token: '<s>' })
  })
})
