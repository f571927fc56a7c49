import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { safetensorsBytes, writeFiles } from '../open/__fixtures__/make-folder.ts'
import { openCheckpoint } from '../index.ts'
import { nodeFiles } from '@mk/source/node'
import { readFileStates } from './file-states.ts'
import { readDocuments } from './read-documents.ts'

let root: string
let model: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'checkpoint-files-'))
  model = join(root, 'model')
})
afterEach(() => rm(root, { recursive: true }))

const plain = safetensorsBytes({ a: ['F32', 2] })
const open = () => openCheckpoint({ path: model, adapters: [] }, { roots: [root] })
const make = (files: Readonly<Record<string, unknown>>) => writeFiles(model, { 'config.json': {}, ...files })

describe('documents', () => {
  it('hold text and value of both configs, with the numbers of Python', async () => {
    const text = '{"limit": [0.0, Infinity], "name": "\\u0000"}'
    await make({ 'config.json': text, 'generation_config.json': '{"top_p": NaN}', 'model.safetensors': plain })
    const { config, documents } = await open()
    const value = { limit: [0, Infinity], name: '\0' }
    expect(config).toEqual(value)
    expect(documents.get('config.json')).toEqual({ name: 'config.json', text, value })
    expect(documents.get('generation_config.json')!.value).toEqual({ top_p: NaN })
  })

  it('keep what the config says of quantization, which the config of the tensors does not', async () => {
    const config = { hidden_size: 8, quantization_config: { quant_method: 'fp8' } }
    await make({ 'config.json': config, 'model.safetensors': plain })
    const checkpoint = await open()
    expect(checkpoint.config).toEqual({ hidden_size: 8 })
    expect(checkpoint.documents.get('config.json')!.value).toEqual(config)
  })

  it.each(['config.json', 'generation_config.json'])(
    'do not lack a %s that is gone since it was listed',
    async (name) => {
      await make({ [name === 'config.json' ? 'generation_config.json' : 'config.json']: {} })
      await rm(join(model, name), { force: true })
      const listed = new Map([...(await readFileStates(nodeFiles, model, true)), [join(model, name), '']])
      await expect(readDocuments(nodeFiles, model, listed)).rejects.toMatchObject({
        code: 'unreadable-model',
        issue: { file: join(model, name), reason: 'there is no such file or folder' },
      })
    },
  )

  it('lack a generation_config.json that is broken, with a note', async () => {
    await make({ 'generation_config.json': '{"a": ', 'model.safetensors': plain })
    const { documents, files, notes } = await open()
    expect([...documents.keys()]).toEqual(['config.json'])
    expect(files).toEqual([{ name: 'generation_config.json', role: 'generation' }])
    expect(notes).toEqual([
      `${model}/generation_config.json: the text ends too early at line 1, column 7; expected a JSON object; it counts as having no settings`,
    ])
  })
})

describe('small files', () => {
  it('are looked for three folders deep', async () => {
    const at = (...folders: readonly string[]) => ['1_Pooling', ...folders, 'config.json'].join('/')
    await make({ 'model.safetensors': plain, [at()]: {}, [at('a')]: {}, [at('a', 'b')]: {}, [at('a', 'b', 'c')]: {} })
    expect((await open()).files.map(({ name }) => name).toSorted()).toEqual([at('a'), at('a', 'b'), at()].toSorted())
  })

  it('are those of tokenizer, templates, generation and preprocessing', async () => {
    const wanted = [
      '1_Pooling/config.json',
      'added_tokens.json',
      'additional_chat_templates/rag.jinja',
      'chat_template.jinja',
      'chat_template.json',
      'generation_config.json',
      'merges.txt',
      'modules.json',
      'preprocessor_config.json',
      'processor_config.json',
      'qwen.tiktoken',
      'special_tokens_map.json',
      'spiece.model',
      'tokenizer.json',
      'tokenizer.model',
      'tokenizer_config.json',
      'video_preprocessor_config.json',
      'vocab.json',
      'vocab.txt',
    ]
    const others = [
      'README.md',
      'LICENSE',
      'training_args.bin',
      'trainer_state.json',
      'convert.py',
      'additional_chat_templates/notes.md',
      'runs/events.json',
    ]
    await make({
      'model.safetensors': plain,
      ...Object.fromEntries([...wanted, ...others].map((name) => [name, '{}'])),
    })
    await mkdir(join(model, 'folder.model'))
    expect((await open()).files.map(({ name }) => name)).toEqual(wanted)
  })

  it('include its Python modules where the model brings its own code, with a note', async () => {
    await make({
      'config.json': { auto_map: { AutoModel: 'modeling_x.X' } },
      'model.safetensors': plain,
      'modeling_x.py': '',
      'layers.py': '',
    })
    const { files, notes } = await open()
    expect(files).toEqual([
      { name: 'layers.py', role: 'code' },
      { name: 'modeling_x.py', role: 'code' },
    ])
    expect(notes).toEqual([expect.stringContaining('its own code (layers.py, modeling_x.py) is copied, not run')])
  })
})
