import { mkdir, mkdtemp, rm, symlink, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseModelReference } from '@mk/config'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSourceReader } from '@mk/source/node'
import { index, safetensorsBytes, type Types, writeFiles } from './__fixtures__/make-folder.ts'
import { openCheckpoint } from '../node/open-checkpoint.ts'
import type { OpenOptions } from './open-checkpoint.ts'

const goldens = new URL('../../../../goldens/models/', import.meta.url).pathname
const code = (value: string) => expect.objectContaining({ code: value })
const plain = safetensorsBytes({ a: ['F32', 2], b: ['BF16', 3] })

let root: string
let model: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'open-checkpoint-'))
  model = join(root, 'model')
})
afterEach(() => rm(root, { recursive: true }))

const unreachable: OpenOptions['hub'] = {
  environment: { HF_HOME: '/nonexistent' },
  retryDelayMs: 1,
  fetch: () => Promise.reject(new Error('no network')),
}
const open = (reference: unknown = 'model', options: Partial<OpenOptions> = {}) =>
  openCheckpoint(parseModelReference(reference), { roots: [root], hub: unreachable, ...options })
const make = (files: Readonly<Record<string, unknown>>) => writeFiles(model, { 'config.json': {}, ...files })

describe('openCheckpoint on models that exist', () => {
  it('opens one file', async () => {
    const checkpoint = await open('llama-base', { roots: [goldens] })
    expect(checkpoint.config).toMatchObject({ model_type: 'llama' })
    expect(checkpoint.folder).toBe(join(goldens, 'llama-base'))
    expect(checkpoint.tensors.get('model.embed_tokens.weight')).toMatchObject({
      kind: 'file',
      dtype: 'F32',
      file: join(goldens, 'llama-base/model.safetensors'),
    })
    expect(checkpoint.files).toEqual([
      { name: 'generation_config.json', role: 'generation' },
      { name: 'tokenizer.json', role: 'vocabulary' },
      { name: 'tokenizer_config.json', role: 'tokenizer-settings' },
    ])
    expect([...checkpoint.documents.keys()]).toEqual(['config.json', 'generation_config.json'])
    expect(checkpoint.documents.get('config.json')!.value).toEqual(checkpoint.config)
    expect(checkpoint.hub).toBeUndefined()
    expect(checkpoint.notes).toEqual([])
  })

  it('opens shards in the order of the files', async () => {
    const { tensors } = await open('llama16-base', { roots: [goldens] })
    const files = [...tensors.values()].map((source) => (source.kind === 'file' ? source.file.slice(-27, -12) : ''))
    expect(new Set(files)).toEqual(new Set([1, 2, 3, 4].map((shard) => `-0000${shard}-of-00004`)))
    expect(files).toEqual(files.toSorted())
    expect(tensors.size).toBe(39)
  })

  it('opens a pickle', async () => {
    const { tensors } = await open('pickle-base', { roots: [goldens] })
    expect(tensors.size).toBe(39)
  })

  it('lays adapters over the model', async () => {
    const { tensors } = await open('llama-base+lora-qvd', { roots: [goldens] })
    expect(tensors.get('model.layers.0.self_attn.q_proj.weight')?.kind).toBe('lora')
    expect(tensors.get('model.layers.0.self_attn.k_proj.weight')?.kind).toBe('file')
  })

  it('tells of the model first, then of its adapter', async () => {
    const adapters = [{ path: 'lora-qvd', revision: 'v1' }]
    const { notes } = await openCheckpoint({ path: 'llama-base', revision: 'v1', adapters }, { roots: [goldens] })
    expect(notes).toEqual(
      ['llama-base', 'lora-qvd'].map((name) =>
        expect.stringContaining(`${name} is a local folder; its revision 'v1' is ignored`),
      ),
    )
  })

  it('opens a file of tensors without a config', async () => {
    const { config, folder, tensors } = await open('llama-base/model.safetensors', { roots: [goldens] })
    expect([config, folder, tensors.size]).toEqual([undefined, undefined, 39])
  })
})

describe('a float8 model', () => {
  it('delivers its weights times their scales', async () => {
    const types: Types = { 'w.weight': ['F8_E4M3', 2, 4], 'w.weight_scale_inv': ['F32', 1, 2] }
    const bytes = safetensorsBytes(types)
    bytes.set([0x38, 0x40, 0xb8, 0x00, 0x30, 0x38, 0x38, 0x7e], bytes.length - 16)
    bytes.set(new Uint8Array(Float32Array.of(2, 0.5).buffer), bytes.length - 8)
    await make({
      'config.json': { quantization_config: { quant_method: 'fp8', weight_block_size: [2, 2] } },
      'model.safetensors': bytes,
    })
    const { tensors, config } = await open()
    const into = new Uint8Array(8 * 4)
    createSourceReader().read(tensors.get('w.weight')!, 0, 8, into)
    expect([[...tensors.keys()], config]).toEqual([['w.weight'], {}])
    expect([...new Float32Array(into.buffer)]).toEqual([2, 4, -0.5, 0, 1, 2, 0.5, 224])
  })
})

describe('where a model is looked for', () => {
  it('is the first root that has it', async () => {
    await writeFiles(root, {
      'here/org/model/config.json': { from: 'here' },
      'here/org/model/model.safetensors': plain,
    })
    await writeFiles(root, {
      'there/org/model/config.json': { from: 'there' },
      'there/org/model/model.safetensors': plain,
    })
    const fromBoth = await open('org/model', { roots: [join(root, 'none'), join(root, 'here'), join(root, 'there')] })
    expect(fromBoth.config).toEqual({ from: 'here' })
    expect((await open(join(root, 'there/org/model'))).config).toEqual({ from: 'there' })
  })

  it.each(['./none', '../none', '/none', '~/none', 'a/b/none', 'none/', 'none.safetensors', 'a\\b', 'C:\\none', '.'])(
    'never is the hub for %s',
    async (path) => {
      const roots = [join(root, 'x'), join(root, 'y')]
      const hub = { ...unreachable, fetch: () => expect.unreachable() }
      await expect(open({ model: path }, { roots, hub })).rejects.toThrow(code('folder-not-found'))
    },
  )

  it('names the folders tried and what the hub said', async () => {
    await expect(open('org/none')).rejects.toThrow(code('model-unreachable'))
    await expect(open('org/none')).rejects.toMatchObject({ fault: 'failure' })
    await expect(open('org/none')).rejects.toThrow(
      `org/none: there is no such folder (looked for ${join(root, 'org/none')})`,
    )
    await expect(open('org/none')).rejects.toThrow('of org/none could not be fetched')
  })

  it('is this machine though a revision is named, with a note', async () => {
    await make({ 'model.safetensors': plain })
    expect((await open('model@v1')).notes).toEqual(["model is a local folder; its revision 'v1' is ignored"])
  })
})

describe('the weights of a folder', () => {
  it('are safetensors rather than pickles, and Hugging Face files rather than consolidated ones', async () => {
    await make({ 'model.safetensors': plain, 'pytorch_model.bin': 'x', 'consolidated.safetensors': 'x' })
    const { tensors, notes } = await open()
    expect([...tensors.keys()]).toEqual(['a', 'b'])
    expect(notes).toEqual([])
  })

  it.each(['consolidated.safetensors', 'diffusion_pytorch_model.safetensors', 'weights.safetensors'])(
    'may be called %s',
    async (name) => {
      await make({ [name]: plain })
      expect([...(await open()).tensors.keys()]).toEqual(['a', 'b'])
    },
  )

  it('may be several files without an index', async () => {
    await make({
      'model-00002-of-00002.safetensors': safetensorsBytes({ c: ['F32', 1] }),
      'model-00001-of-00002.safetensors': plain,
    })
    expect([...(await open()).tensors.keys()]).toEqual(['a', 'b', 'c'])
  })

  it('leave out files that are not part of the model, with a note', async () => {
    await make({ 'model.safetensors': plain, 'optimizer.safetensors': plain })
    expect((await open()).notes).toEqual([`${model}: optimizer.safetensors is not part of the model and left out`])
  })

  it('include a tensor that only the index lacks, with a note', async () => {
    await make({ 'model.safetensors.index.json': index({ a: 's.safetensors' }), 's.safetensors': plain })
    const { tensors, notes } = await open()
    expect([...tensors.keys()]).toEqual(['a', 'b'])
    expect(notes).toEqual([expect.stringContaining("'b' is in the shards but not in the index")])
  })

  it('include several that only the index lacks, of which the note names three', async () => {
    const types = Object.fromEntries([...'abcdef'].map((name) => [name, ['F32', 1]])) as Types
    for (const [listed, told] of [
      ['abcd', `'e', 'f' are`],
      ['abc', `'d', 'e', 'f' are`],
      ['ab', `'c', 'd', 'e' and 1 more are`],
      ['a', `'b', 'c', 'd' and 2 more are`],
    ] as const) {
      const entries = Object.fromEntries([...listed].map((name) => [name, 's.safetensors']))
      await make({ 'model.safetensors.index.json': index(entries), 's.safetensors': safetensorsBytes(types) })
      expect((await open()).notes).toEqual([
        `${model}/model.safetensors.index.json: ${told} in the shards but not in the index; taken nevertheless`,
      ])
    }
  })

  it('come from the file that the index names where two have a tensor', async () => {
    await make({
      'model.safetensors.index.json': index({ a: '2.safetensors', b: '1.safetensors' }),
      '1.safetensors': plain,
      '2.safetensors': plain,
    })
    expect((await open()).tensors.get('a')).toMatchObject({ file: join(model, '2.safetensors') })
  })

  it('are read through links, as in the cache of the hub', async () => {
    await writeFiles(root, { blob: plain })
    await make({})
    await symlink('../blob', join(model, 'model.safetensors'))
    const { tensors } = await open()
    const into = new Uint8Array(6)
    createSourceReader().read(tensors.get('b')!, 0, 3, into)
    expect([...into]).toEqual([0, 1, 2, 3, 4, 5])
  })
})

describe('a folder that cannot be opened', () => {
  it('lacks a shard', async () => {
    await make({
      'model.safetensors.index.json': index({ a: 's1.safetensors', c: 's2.safetensors' }),
      's1.safetensors': plain,
    })
    await expect(open()).rejects.toThrow(code('shard-missing'))
    await expect(open()).rejects.toThrow(`${model} lacks s2.safetensors, which model.safetensors.index.json names`)
  })

  it('lacks a shard that the names of the others tell', async () => {
    await make({ 'model-00001-of-00002.safetensors': plain })
    await expect(open()).rejects.toThrow(`${model} lacks model-00002-of-00002.safetensors`)
  })

  it('may list copies of what it has', async () => {
    await make({
      'config.json': { model_type: 't5', tie_word_embeddings: false },
      'model.safetensors.index.json': index({
        'shared.weight': 's.safetensors',
        'decoder.embed_tokens.weight': 's.safetensors',
      }),
      's.safetensors': safetensorsBytes({ 'shared.weight': ['F32', 2] }),
    })
    const { tensors, notes } = await open()
    expect([...tensors.keys()]).toEqual(['shared.weight'])
    expect(notes).toEqual([
      expect.stringContaining("'decoder.embed_tokens.weight' is in no shard, but a copy of what is"),
    ])
  })

  it('lacks a tensor of its index', async () => {
    await make({
      'model.safetensors.index.json': index({ a: 's.safetensors', z: 's.safetensors' }),
      's.safetensors': plain,
    })
    await expect(open()).rejects.toThrow(code('index-tensor-missing'))
  })

  it('names a file outside it', async () => {
    await make({ 'model.safetensors.index.json': index({ a: '../s.safetensors' }) })
    await expect(open()).rejects.toThrow(code('unsafe-path'))
  })

  it('has a tensor twice', async () => {
    await make({ 'x.safetensors': plain, 'y.safetensors': plain })
    await expect(open()).rejects.toThrow(code('tensor-twice'))
  })

  it('has a truncated file', async () => {
    await make({ 'model.safetensors': plain })
    await truncate(join(model, 'model.safetensors'), plain.length - 1)
    await expect(open()).rejects.toThrow(code('offsets-out-of-range'))
  })

  it('has no weights', async () => {
    await make({ 'tokenizer.json': {} })
    await expect(open()).rejects.toThrow(code('no-weights'))
    await mkdir(join(root, 'empty'))
    await expect(open('empty')).rejects.toThrow(code('no-weights'))
  })

  it('has no config, or an adapter instead of a model', async () => {
    await writeFiles(model, { 'model.safetensors': plain })
    await expect(open()).rejects.toThrow(code('config-missing'))
    expect([...(await open('model', { allowNoConfig: true })).tensors.keys()]).toEqual(['a', 'b'])
    await expect(open('lora-qvd', { roots: [goldens] })).rejects.toThrow('is an adapter, not a model')
  })

  it.each(['', '{', '[]', 'null'])('has a config.json that is %j', async (text) => {
    await make({ 'config.json': text, 'model.safetensors': plain })
    await expect(open()).rejects.toThrow(code('config-json'))
  })

  it.each(['config.json', 'model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin'])(
    'has a folder in the place of %s, which is named',
    async (name) => {
      await writeFiles(model, name === 'config.json' ? { 'model.safetensors': plain } : { 'config.json': {} })
      await mkdir(join(model, name))
      const file = join(model, name)
      await expect(open()).rejects.toMatchObject({ code: 'unreadable-model', fault: 'failure', issue: { file } })
      await expect(open()).rejects.toThrow(`${file}: cannot be read: it is a folder, not a file`)
    },
  )

  it('lacks a shard of a pickle', async () => {
    await make({ 'pytorch_model.bin.index.json': { weight_map: { a: 'pytorch_model-2.bin' } } })
    await expect(open()).rejects.toMatchObject({ code: 'shard-missing', issue: { shard: 'pytorch_model-2.bin' } })
  })

  it('has only GGUF files, which are cut off', async () => {
    await writeFiles(model, { 'm.gguf': 'GGUF' })
    await expect(open()).rejects.toThrow(code('gguf-truncated'))
    await expect(open('model/m.gguf')).rejects.toThrow(code('gguf-truncated'))
    await make({})
    await expect(open()).rejects.toThrow(code('gguf-truncated'))
  })
})

describe('a path with a sign that a reference has a meaning for', () => {
  const object = (path: string) => `a path that has '+' or '@' in it is written {model: {path: '${path}'}}`

  it.each([
    ['./models/one+two', 'folder-not-found'],
    ['./models/me@home', 'folder-not-found'],
    ['org/one+two', 'model-unreachable'],
    ['model+./none', 'folder-not-found'],
    ['model+org/none@v1', 'model-unreachable'],
  ])('%s, where there is no such thing, is told the form for it', async (path, code) => {
    await make({ 'model.safetensors': plain })
    await expect(open(path)).rejects.toMatchObject({ code, message: expect.stringContaining(object(path)) })
  })

  it('that is there is told of by name', async () => {
    const name = `model+extra`
    await make({ 'model.safetensors': plain })
    await writeFiles(join(root, name), { 'config.json': {}, 'model.safetensors': plain })
    await expect(open(name)).rejects.toThrow(`there is ${name}; ${object(name)}`)
    expect((await open({ model: { path: name } })).tensors.size).toBe(2)
    await writeFiles(join(root, 'extra'), { 'config.json': {}, 'model.safetensors': plain })
    await expect(open(name)).rejects.toThrow(
      `expected a folder in the layout of PEFT; there is ${name}; ${object(name)}`,
    )
    await writeFiles(join(root, 'model@home'), { 'config.json': {}, 'model.safetensors': plain })
    expect((await open('model@home')).notes).toEqual([
      `model is a local folder; its revision 'home' is ignored, though there is model@home; ${object('model@home')}`,
    ])
  })

  it('is not spoken of where there is none', async () => {
    await expect(open('./none')).rejects.toThrow(/looked for [^;]*$/)
    await expect(open({ model: { path: './a+b' } })).rejects.toThrow(/looked for [^;]*$/)
  })
})
