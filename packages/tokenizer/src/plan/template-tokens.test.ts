import { expect, test } from 'vitest'
import { parseTokenizer } from '../index.ts'
import { listTemplateMarks, listTokensBeyond, tokensInTemplate } from './template-tokens.ts'

test.each([
  ["{{ '<|im_start|>' + role + '<|im_end|>' + '<|im_end|>' }}", ['<|im_start|>', '<|im_end|>']],
  [
    "{{ '<｜User｜>' }}<start_of_turn>user{{ '[|assistant|]</s>' }}",
    ['<｜User｜>', '<start_of_turn>', '[|assistant|]', '</s>'],
  ],
  ["{{ bos_token }}[INST] {{ content }} [/INST]<tool_call>{{ '<|' ~ role ~ '|>' }}", []],
  ['{% if a < b | length > 0 %}', []],
])('the marks of %j are %j', (template, marks) => expect(listTemplateMarks(template)).toEqual(marks))

test('words of the vocabulary are no marks', () => {
  expect(tokensInTemplate('{{ user }}<tool_call>[INST]', ['user', '<tool_call>', '[INST]', '<other>', '{{'])).toEqual([
    '<tool_call>',
    '[INST]',
  ])
})

test('tokens beyond the rows are listed by id, of the added ones also without a tokenizer.json', () => {
  const vocab = { a: 0, b: 3, c: 1 }
  const files = new Map([['tokenizer.json', JSON.stringify({ model: { type: 'WordLevel', vocab } })]])
  expect(listTokensBeyond(parseTokenizer(files), 1)).toEqual(['c', 'b'])
  const config = { added_tokens_decoder: { 9: { content: '<x>' }, 1: { content: '<s>' } } }
  const slow = new Map([
    ['tokenizer.model', 'hash'],
    ['tokenizer_config.json', JSON.stringify(config)],
    ['added_tokens.json', '{"<y>": 8, "z": "9"}'],
  ])
  expect(listTokensBeyond(parseTokenizer(slow), 8)).toEqual(['<y>', '<x>'])
})
