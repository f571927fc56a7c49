import { expect, it } from 'vitest'
import { selectCopied } from './select-copied.ts'

const namesOf = (names: readonly string[], hasOwnCode = false) =>
  selectCopied(
    names.map((name) => ({ name, byteCount: 1 })),
    hasOwnCode,
  ).files.map(({ name }) => name)

it('copies what a loader or processor reads, whatever its name', () => {
  const read = [
    'mel_filters.json',
    'normalizer.json',
    'speaker_embeddings_path.json',
    'speaker_embeddings/v2/en_speaker_0_coarse_prompt.npy',
    'bpe_simple_vocab_16e6.txt.gz',
    'phonemes.txt',
    'hyperparams.yaml',
    'configuration.json',
    '2_Dense/config.json',
    '2_Dense/model.safetensors',
    '3_LayerNorm/config.json',
    'chat_templates/tool_use.jinja',
    'tokenizer_2/vocab.json',
    'mel_filters.npz',
    'speaker_embeddings/v2/en_speaker_0.npz',
  ]
  expect(namesOf(read)).toEqual(read)
})

it.each([
  ['weights of every framework', ['model.safetensors', 'pytorch_model-00001-of-00002.bin', 'model.gguf', 'model.onnx']],
  [
    'more of them',
    [
      'tf_model.h5',
      'flax_model.msgpack',
      'weights.npz',
      'x/model_0.npz',
      'last.ckpt',
      'a.pt',
      'b.pth',
      'rust_model.ot',
    ],
  ],
  [
    'the original layout',
    ['original/params.json', 'original/tokenizer.model.txt', 'consolidated.00.pth', 'params.json'],
  ],
  ['indexes', ['model.safetensors.index.json', 'pytorch_model.bin.index.fp32.json', 'tf_model.h5.index.json']],
  ['what the output has of its own', ['config.json', 'README.md', 'mergekit_config.yml']],
  ['adapters and quantizations', ['adapter_config.json', 'quantize_config.json', 'hf_quant_config.json']],
  ['pages', ['LICENSE', 'LICENSE.txt', 'USE_POLICY.md', 'Notice', 'thumbnail.png', 'paper.pdf', 'demo.ipynb']],
  [
    'training',
    ['trainer_state.json', 'training_args.bin', 'all_results.json', 'optimizer.pt', 'scheduler.pt', 'latest'],
  ],
  [
    'whole folders',
    ['checkpoint-500/tokenizer.json.txt', 'runs/a.txt', 'onnx/config.json', '.git/x', '.gitattributes'],
  ],
  ['leftovers', ['events.out.tfevents.1', 'train.log', 'a.lock', 'train.sh', '__pycache__/a.pyc']],
])('leaves %s behind', (_, names) => expect(namesOf(names)).toEqual([]))

it('copies code where the model brings its own', () => {
  expect(namesOf(['modeling_x.py', 'layers/rope.py'])).toEqual([])
  expect(namesOf(['modeling_x.py', 'layers/rope.py'], true)).toEqual(['modeling_x.py', 'layers/rope.py'])
})

it('leaves a folder that is a model of its own behind, and says so', () => {
  const found = ['speech_tokenizer/config.json', 'speech_tokenizer/model.safetensors', 'voices.json']
  const { files, left } = selectCopied(
    found.map((name) => ({ name, byteCount: 1 })),
    false,
  )
  expect(files).toEqual([{ name: 'voices.json', role: 'other' }])
  expect(left).toEqual([expect.stringContaining('speech_tokenizer/ holds weights of its own')])
})

it('takes a tokenizer of any size, and of other files only what may be settings', () => {
  const { files, left } = selectCopied(
    [
      { name: 'dump.dat', byteCount: 2 ** 30 },
      { name: 'tokenizer.json', byteCount: 2 ** 30 },
    ],
    false,
  )
  expect(files).toEqual([{ name: 'tokenizer.json', role: 'vocabulary' }])
  expect(left).toEqual([expect.stringContaining('dump.dat')])
})

it('names three of those that are too large, and counts the rest', () => {
  const large = (count: number) =>
    selectCopied(
      Array.from({ length: count }, (_, index) => ({ name: `words_${index}.dat`, byteCount: 64 * 2 ** 20 + 1 })),
      false,
    )
  expect(large(1).left).toEqual([expect.stringMatching(/^words_0\.dat left out, being no settings/)])
  expect(large(3).left).toEqual([expect.stringMatching(/^words_0\.dat, words_1\.dat, words_2\.dat left out/)])
  expect(large(4).left).toEqual([expect.stringMatching(/words_2\.dat and 1 more left out/)])
  expect(large(5).left).toEqual([expect.stringMatching(/words_2\.dat and 2 more left out/)])
})

it('takes files of other uses up to 64 MB each, and 2000 of them', () => {
  const found = (count: number, byteCount: number) =>
    selectCopied(
      Array.from({ length: count }, (_, index) => ({ name: `words_${index}.dat`, byteCount })),
      false,
    )
  expect(found(1, 64 * 2 ** 20)).toEqual({ files: [{ name: 'words_0.dat', role: 'other' }], left: [] })
  expect(found(2000, 1).left).toEqual([])
  expect(found(2001, 1)).toMatchObject({ left: [expect.stringMatching(/^words_2000\.dat left out/)] })
  expect(selectCopied([{ name: 'tokenizer.json', byteCount: 2 ** 30 }], false).files).toHaveLength(1)
})

it('leaves a model in a folder of another model to that one', () => {
  const found = ['model.safetensors', 'a/model.onnx', 'a/b/model.onnx', 'a/b/vocab.json'].map((name) => ({
    name,
    byteCount: 1,
  }))
  const { files, left } = selectCopied(found, false)
  expect([files, left.map((text) => text.split(' ')[0])]).toEqual([[], ['a/']])
})
