import { expect, test } from 'vitest'
import { selectFiles } from './select-files.ts'

test.each([
  [['model.safetensors', 'pytorch_model.bin'], ['model.safetensors']],
  [['model.safetensors', 'model.fp16.safetensors', 'consolidated.safetensors'], ['model.safetensors']],
  [['consolidated.safetensors', 'diffusion.safetensors'], ['diffusion.safetensors']],
  [['consolidated.00.safetensors', 'params.json'], ['consolidated.00.safetensors']],
  [['pytorch_model.bin', 'training_args.bin', 'optimizer.bin'], ['pytorch_model.bin']],
  [['adapter_model.safetensors', 'adapter_config.json'], []],
  [['model.gguf', 'model.onnx', 'tf_model.h5'], []],
])('of %j the weights are %j', (names, weights) => expect(selectFiles(names, 'model').weights).toEqual(weights))

test.each([
  [
    ['model.safetensors.index.json', 'model.safetensors', 'pytorch_model.bin.index.json'],
    'model.safetensors.index.json',
  ],
  [['pytorch_model.bin.index.json', 'pytorch_model.bin'], 'pytorch_model.bin.index.json'],
])('of %j the index is %s', (names, index) =>
  expect(selectFiles(names, 'model')).toMatchObject({ index, weights: [], small: [index] }),
)

test('configs, tokenizers and templates are small files, the card and code that a config may name; other pages and training state are not', () => {
  const kept = [
    'config.json',
    'generation_config.json',
    'tokenizer.json',
    'tokenizer.model',
    'spiece.model',
    'vocab.txt',
    'merges.txt',
    'chat_template.jinja',
    'preprocessor_config.json',
    'modeling_x.py',
    'README.md',
  ]
  expect(selectFiles([...kept, 'setup.py', 'LICENSE.md', 'trainer_state.json', 'optimizer.pt'], 'model').small).toEqual(
    kept,
  )
})

test('an adapter is chosen by its own names', () => {
  expect(
    selectFiles(['adapter_model.bin', 'adapter_model.safetensors', 'model.safetensors'], 'adapter').weights,
  ).toEqual(['adapter_model.safetensors'])
})
