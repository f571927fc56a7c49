import { expect, it } from 'vitest'
import { tokenizerFileRole, tokenizerFiles } from './files.ts'
import { orderTokenizerFiles } from './tokenizer-files.ts'

/** File names that the tokenizer classes of transformers 5.24 ask for. */
const ofTransformers = `
  tokenizer.json vocab.json merges.txt vocab.txt spiece.model sentencepiece.bpe.model tokenizer.model bpe.codes
  prophetnet.tokenizer dict.txt sentencepiece.model spm_char.model vocab-src.json vocab-tgt.json source.spm target.spm
  target_vocab.json byte_maps.json word_shape.json word_pronunciation.json spm.model added_tokens.json`

/** Of models that bring their tokenizer as code, and of other libraries. */
const ofOthers = `
  encoder.json vocab.bpe tekken.json tokenizer.model.v3 qwen.tiktoken tiktoken.model ice_text.model
  multilingual.tiktoken rwkv_vocab_v20230424.txt`

it.each([ofTransformers, ofOthers].flatMap(names))('%s is a vocabula', (name) => {
  expect(tokenizerFileRole(name)).toBe('vocabulary')
})

it.each(['tokenizer_config.json', 'special_tokens_map.json', 'normalizer.json', 'emoji.json', 'entity_vocab.json'])(
  '%s is settings',
  (name) => {
    expect(tokenizerFileRole(name)).toBe('settings')
  },
)

it.each([
  'chat_template.jinja',
  'chat_template.json',
  'additional_chat_templates/tool_use.jinja',
  'chat_templates/rag.jinja',
  'tool_chat_template.jinja',
])('%s is a template', (name) => {
  expect(tokenizerFileRole(name)).toBe('template')
})

const others = `
  config.json generation_config.json preprocessor_config.json processor_config.json README.md model.safetensors
  pytorch_model.bin tokenization_qwen.py modules.json 1_Pooling/config.json original/tokenizer.model
  additional_chat_templates/a/b.jinja .model tokenizer.model.v`

it.each([...names(others), ''])('%s is not a file of the tokenizer', (name) => {
  expect(tokenizerFileRole(name)).toBeUndefined()
})

it('orders files by the table and then by name', () => {
  const found = ['z.tiktoken', 'a.tiktoken', 'config.json', 'tokenizer_config.json', 'tokenizer.json']
  expect(orderTokenizerFiles(found)).toEqual(['tokenizer.json', 'tokenizer_config.json', 'a.tiktoken', 'z.tiktoken'])
})

it('names each file once', () => {
  const listed = tokenizerFiles.map(({ name }) => name)
  expect(new Set(listed).size).toBe(listed.length)
})

function names(text: string): string[] {
  return text.trim().split(/\s+/)
}
