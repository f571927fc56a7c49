import { describe, expect, it } from 'vitest'
import { parseChatTemplate, planChatTemplateFiles, resolveChatTemplate, TokenizerError } from '../index.ts'

const files = (entries: Record<string, unknown>) =>
  new Map(
    Object.entries(entries).map(([name, content]) => [
      name,
      typeof content === 'string' ? content : JSON.stringify(content),
    ]),
  )
const models = (...texts: (string | undefined)[]) =>
  texts.map((text) => ({
    chatTemplate: text === undefined ? undefined : { text, file: 'chat_template.jinja' as const },
  }))

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

describe('resolveChatTemplate', () => {
  it('takes the most common one for auto, the first of equally common ones, blank space aside', () => {
    expect(resolveChatTemplate('auto', models('a', 'b\n', undefined, 'b'))).toBe('b')
    expect(resolveChatTemplate('auto', models(undefined, 'b', 'a'))).toBe('b')
    expect(resolveChatTemplate('auto', models(undefined, ' '))).toBeUndefined()
  })

  it('knows five by name', () => {
    for (const [name, mark] of Object.entries({
      alpaca: '### Instruction:',
      chatml: '<|im_start|>',
      exaone: '[|endofturn|]',
      llama3: '<|eot_id|>',
      mistral: '[INST]',
    })) {
      expect(resolveChatTemplate(name, [])).toContain(mark)
    }
  })

  it('takes a template as it is', () => {
    expect(resolveChatTemplate('{% for m in messages %}{{ m.content }}{% endfor %}', [])).toBe(
      '{% for m in messages %}{{ m.content }}{% endfor %}',
    )
  })

  it('refuses anything else, with the nearest name', () => {
    const run = (): unknown => resolveChatTemplate('chat-ml', [])
    expect(run).toThrow(TokenizerError)
    expect(run).toThrow(
      'chat_template "chat-ml" is neither the name of a known template (alpaca, chatml, exaone, llama3, mistral, auto) nor a Jinja template; did you mean "chatml"?',
    )
  })
})

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
