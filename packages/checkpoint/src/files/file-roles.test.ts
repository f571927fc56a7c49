import { expect, test } from 'vitest'
import { limits } from '../limits.ts'
import { fileRole, isNamedCode, isWeights } from './file-roles.ts'

test.each([
  ['tokenizer.json', 'vocabulary'],
  ['vocab.txt', 'vocabulary'],
  ['tokenizer_config.json', 'tokenizer-settings'],
  ['chat_template.jinja', 'chat-template'],
  ['generation_config.json', 'generation'],
  ['preprocessor_config.json', 'processor'],
  ['processor_config.json', 'processor'],
  ['image_processor_config.json', 'processor'],
  ['video_preprocessor_config.json', 'processor'],
  ['feature_extractor_config.json', 'processor'],
  ['modules.json', 'sentence-transformers'],
  ['config_sentence_transformers.json', 'sentence-transformers'],
  ['sentence_bert_config.json', 'sentence-transformers'],
  ['1_Pooling/config.json', 'sentence-transformers'],
  ['2_Dense/model.safetensors', 'sentence-transformers'],
  ['modeling_own.py', 'code'],
  ['sub/helpers.py', 'code'],
  ['voices.txt', 'other'],
  ['config.json', undefined],
  ['adapter_config.json', undefined],
  ['model.safetensors', undefined],
  ['model.safetensors.index.json', undefined],
  ['README.md', undefined],
  ['LICENSE', undefined],
  ['mergekit_config.yml', undefined],
  ['trainer_state.json', undefined],
  ['own-method.mjs', undefined],
  ['onnx/model.json', undefined],
  ['.gitattributes', undefined],
])('%s is for %s', (name, role) => {
  expect(fileRole(name)).toBe(role)
})

test.each([
  ['a.gguf', true],
  ['sub/consolidated.00.pth', true],
  ['weights.npz', true],
  ['voices.npz', false],
  ['a.json', false],
])('%s holds weights: %s', (name, holds) => {
  expect(isWeights(name)).toBe(holds)
})

test.each([
  ['modeling_own.py', true],
  ['configuration_own.py', true],
  ['image_processing_own.py', true],
  ['helpers.py', false],
  ['modeling_own.txt', false],
])('transformers looks for code in %s: %s', (name, looks) => {
  expect(isNamedCode(name)).toBe(looks)
})

test('files of a model have at most what their limits say', () => {
  expect(limits).toEqual({
    documentBytes: 8_388_608,
    indexBytes: 100_000_000,
    hubAnswerBytes: 16_777_216,
    jsonDepth: 1000,
    jsonValues: 500_000,
    numberCharacters: 4300,
  })
})
