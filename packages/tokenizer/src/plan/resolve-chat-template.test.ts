import { describe, expect, it } from 'vitest'
import { resolveChatTemplate, TokenizerError } from '../index.ts'

const models = (...texts: (string | undefined)[]) =>
  texts.map((text) => ({
    chatTemplate: text === undefined ? undefined : { text, file: 'chat_template.jinja' as const },
  }))

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
