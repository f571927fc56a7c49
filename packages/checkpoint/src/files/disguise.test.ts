import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openCheckpoint } from '../index.ts'
import { safetensorsBytes, writeFiles } from '../open/__fixtures__/make-folder.ts'
import { describeDisguise, promisedBy } from './disguise.ts'

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4665d3\nsize 14484731912\n'
const page = '<!DOCTYPE html><html><body>Invalid username or password.</body></html>'

describe('weights are told from', () => {
  it.each([
    ['a pointer of Git LFS', pointer, /Git LFS pointer.*git lfs pull/],
    ['a web page', `\n${page}`, /web page \(HTML\)/],
    ['an error of a store', '<?xml version="1.0"?><Error/>', /web page/],
    ['a sentence of a server', 'Entry not found', /answer of a server, 'Entry not found'/],
    ['an error as JSON', '{"error":"Repository not found"}', /answer of a server/],
    ['other text', 'a note to myself', /text that begins with 'a note to myself'/],
    ['gzip', '\x1f\x8b\x08\0', /gzip/],
    ['GGUF', 'GGUF\x03\0\0\0', /GGUF/],
    ['HDF5', '\x89HDF\r\n\x1a\n', /HDF5/],
    ['nothing', '', /is empty/],
    ['zeros', '\0'.repeat(200), /zeros only/],
  ])('%s', (_, content, found) => {
    expect(describeDisguise(bytes(content), 'safetensors')).toMatch(found)
    expect(describeDisguise(bytes(content), 'torch')).toMatch(found)
  })

  it.each([
    ['xz', '\xfd7zXZ\0'],
    ['zstd', '\x28\xb5\x2f\xfd'],
    ['7-Zip', '7z\xbc\xaf\x27\x1c'],
    ['bzip2', 'BZh91AY'],
    ['a tar archive', `${'\x01'.repeat(257)}ustar`],
    ['an array of NumPy', '\x93NUMPY'],
    ['a pointer of Git Xet', '# xet version 0'],
    ['a pointer of git-annex', '../.git/annex/objects/x'],
    ['zeros only', '\0'.repeat(64)],
  ])('%s', (what, content) => {
    for (const promised of ['safetensors', 'torch', 'gguf', 'json'] as const)
      expect(describeDisguise(bytes(`${content}\x01`), promised)).toContain(what)
  })

  it('zeros, if there are enough of them', () => {
    expect(describeDisguise(bytes(`${'\0'.repeat(63)}\x01`), 'torch')).toBeUndefined()
  })

  it.each(['\x02', '\x03', '\x04', '\x05'])('a pickle of protocol %j', (protocol) => {
    expect(describeDisguise(bytes(`\x80${protocol}}`), 'safetensors')).toMatch(/^is a pickle.*\.bin$/)
    expect(describeDisguise(bytes(`\x80${protocol}}`), 'torch')).toBeUndefined()
  })

  it('what is none of these by its own name', () => {
    expect(describeDisguise(bytes('GGUF\x03\0\0\0'), 'gguf')).toBeUndefined()
    expect(describeDisguise(bytes('\x1f\x8b\x08'), 'other')).toBeUndefined()
    expect(describeDisguise(bytes(pointer), 'other')).toContain('Git LFS')
  })

  it('weights of the other format, by the ending that they need', () => {
    expect(describeDisguise(bytes('PK\x03\x04'), 'safetensors')).toMatch(/\.bin$/)
    expect(describeDisguise(bytes('PK\x03\x04'), 'torch')).toBeUndefined()
    expect(describeDisguise(bytes('\x80\x02}q\0.'), 'safetensors')).toMatch(/\.bin$/)
    expect(describeDisguise(safetensorsBytes({ a: ['F32', 2] }), 'torch')).toMatch(/\.safetensors$/)
    expect(describeDisguise(safetensorsBytes({ a: ['F32', 2] }), 'safetensors')).toBeUndefined()
  })
})

it('weights may begin with letters behind what is no text', () => {
  for (const text of ['\x01abcdef', 'abc\x01def', `${'a'.repeat(31)}\x02`])
    expect([text, describeDisguise(bytes(text), 'torch')]).toEqual([text, undefined])
  for (const text of ['abcdef', `${'a'.repeat(32)}\x02`, 'a'])
    expect(describeDisguise(bytes(text), 'torch')).toContain('is text that begins with')
})

it('small files are told from text of another encoding, from nothing and from answers of servers', () => {
  const of = (text: string, name: string) => describeDisguise(bytes(text), promisedBy(name))
  for (const start of ['\xff\xfe{\0', '\xfe\xff\0{'])
    expect(of(start, 'config.json')).toBe('is text in UTF-16; save it in UTF-8')
  for (const text of ['', ' \n', '\xef\xbb\xbf\n']) expect(of(text, 'config.json')).toContain('is empty')
  expect(of(' '.repeat(2000), 'config.json')).toBeUndefined()
  expect(of('', 'tokenizer.model')).toContain('is empty')
  expect(of('x', 'tokenizer.model')).toBeUndefined()
  expect(of('{"error": "no', 'config.json')).toBeUndefined()
  expect(of('{"error": "no", "vocab": 1}', 'config.json')).toBeUndefined()
  expect(of('{"error": "no", "url": "x"}', 'config.json')).toContain('is an answer of a server')
  expect(of('[{"error": "no"}]', 'config.json')).toBeUndefined()
  expect(of('Not Found', 'vocab.txt')).toContain("is an answer of a server, 'Not Found'")
  expect(of('Not Founded', 'vocab.txt')).toBeUndefined()
  expect(of('404: Not Found', 'merges.txt')).toContain('is an answer of a server')
})

it.each<readonly [string, string]>([
  ['a.safetensors', 'safetensors'],
  ['a.gguf', 'gguf'],
  ...['a.bin', 'a.pt', 'a.pth', 'a.ckpt'].map((name) => [name, 'torch'] as const),
  ['a.json', 'json'],
  ...['tokenizer.model', 'a.spm', 'qwen.tiktoken'].map((name) => [name, 'vocabulary'] as const),
  ...['a.txt', 'a.py', 'a.jinja', 'vocab.bpe', 'a.codes'].map((name) => [name, 'text'] as const),
  ...['a', 'a.binx', 'json', 'a.yaml'].map((name) => [name, 'other'] as const),
])('%s promises to be %s', (name, promised) => {
  expect(promisedBy(name)).toBe(promised)
})

it('leaves alone what may begin like this', () => {
  expect(describeDisguise(bytes('{"message_type": "x", "vocab_size": 2}'), 'json')).toBeUndefined()
  expect(describeDisguise(bytes('<unk>\n<s>\n'), promisedBy('vocab.txt'))).toBeUndefined()
  expect(describeDisguise(bytes('{% for m in messages %}'), promisedBy('chat_template.jinja'))).toBeUndefined()
  expect(describeDisguise(bytes(''), promisedBy('__init__.py'))).toBeUndefined()
  expect(describeDisguise(bytes('\x1f\x8b\x08'), promisedBy('bpe_simple_vocab_16e6.txt.gz'))).toBeUndefined()
  expect(describeDisguise(bytes(pointer), promisedBy('bpe_simple_vocab_16e6.txt.gz'))).toMatch(/Git LFS/)
})

describe('a folder names what is not what its name says:', () => {
  let model: string
  beforeEach(async () => {
    model = await mkdtemp(join(tmpdir(), 'disguise-'))
  })
  afterEach(() => rm(model, { recursive: true }))
  const plain = safetensorsBytes({ a: ['F32', 2] })
  const open = (adapters: readonly { path: string }[] = []) =>
    openCheckpoint({ path: model, adapters }, { roots: [model] })

  it.each([
    ['model.safetensors', {}],
    ['model.safetensors.index.json', { 'model-00001-of-00001.safetensors': plain }],
    ['config.json', { 'model.safetensors': plain }],
    ['pytorch_model.bin', {}],
    ['pytorch_model.bin.index.json', {}],
  ])('%s', async (name, others) => {
    await writeFiles(model, { 'config.json': {}, ...others, [name]: pointer })
    await expect(open()).rejects.toMatchObject({
      fault: 'usage',
      message: expect.stringMatching(new RegExp(`${model}/${name}.*Git LFS pointer`)),
    })
  })

  it.each(['adapter_config.json', 'adapter_model.safetensors'])('%s of an adapter', async (name) => {
    await writeFiles(model, { 'config.json': {}, 'model.safetensors': plain })
    const adapter = {
      'adapter_config.json': { peft_type: 'LORA', r: 1, lora_alpha: 1, target_modules: ['q'] },
      'adapter_model.safetensors': plain,
    }
    await writeFiles(join(model, 'lora'), { ...adapter, [name]: page })
    await expect(open([{ path: 'lora' }])).rejects.toMatchObject({
      code: 'disguised-file',
      message: expect.stringContaining(`${model}/lora/${name} is a web page`),
    })
  })

  it('small files only when they are used', async () => {
    await writeFiles(model, { 'config.json': {}, 'model.safetensors': plain, 'tokenizer.json': pointer })
    expect((await open()).files).toEqual([
      { name: 'tokenizer.json', role: 'vocabulary', disguise: expect.stringContaining('Git LFS') },
    ])
  })
})
