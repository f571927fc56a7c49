import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { entry, safetensors } from './pieces.mjs'

/**
 * @typedef {object} Bomb an input that is meant to take too much time or memory, or to fail in an ugly way
 * @property {string} name
 * @property {'safetensors' | 'gguf' | 'index' | 'names' | 'checkpoint' | 'recipe' | 'tokenizer' | 'model' | 'adapter'} kind what it is given to
 * @property {(folder: string) => string | Buffer | void} make the input, or a folder that it puts there itself
 * @property {(folder: string) => string} [recipe] for a folder
 * @property {number} [rows] of the embedding of a tokenizer's model
 */

/** Puts a bomb where it is read from. @param {Bomb} bomb @param {string} folder */
export function layBomb({ make }, folder) {
  const input = make(join(folder, 'model'))
  if (input !== undefined) writeFileSync(join(folder, 'input.bin'), input)
}

/**
 * Prepares what reads a bomb: everything that is not to be measured is done when this is through.
 * @param {Bomb} bomb @param {string} folder
 * @returns {Promise<() => unknown>} which sets it off
 */
export async function armBomb(bomb, folder) {
  const file = join(folder, 'input.bin')
  switch (bomb.kind) {
    case 'safetensors': {
      const { parseHeader } = await import('@mk/safetensors')
      const bytes = readFileSync(file)
      return () => parseHeader(bytes, bytes.length)
    }
    case 'gguf': {
      const { parseGgufHeader } = await import('@mk/gguf')
      const bytes = readFileSync(file)
      return () => parseGgufHeader(bytes, bytes.length)
    }
    case 'index': {
      const { parseIndex } = await import('@mk/safetensors')
      const text = readFileSync(file, 'utf8')
      return () => parseIndex(text)
    }
    case 'names': {
      const { describeCheckpoint } = await import('@mk/architecture')
      const { tensors, config } = JSON.parse(readFileSync(file, 'utf8'))
      return () => describeCheckpoint(tensors, config)
    }
    case 'recipe': {
      const { parseConfig } = await import('@mk/config')
      const text = readFileSync(file, 'utf8')
      return () => parseConfig(text, { file: 'r.yml' })
    }
    case 'checkpoint': {
      const { openCheckpoint } = await import('@mk/checkpoint')
      return () => openCheckpoint({ path: file, adapters: [] }, { roots: [folder] })
    }
    case 'tokenizer':
      return armTokenizer(readFileSync(file, 'utf8'), bomb.rows)
    case 'model':
      return armModel(bomb.recipe(join(folder, 'model')))
    case 'adapter':
      return armAdapter(JSON.parse(readFileSync(file, 'utf8')), folder)
  }
}

async function armModel(text) {
  const { prepareMerge } = await import('@mk/merge')
  const { builtinMethods } = await import('@mk/methods')
  return () => prepareMerge({ text, methods: builtinMethods, hub: { environment: { HF_HUB_OFFLINE: '1' } } })
}

async function armTokenizer(text, rows) {
  const { parseTokenizer, planVocabulary } = await import('@mk/tokenizer')
  const other = parseTokenizer(
    new Map([['tokenizer.json', '{"model":{"type":"WordLevel","vocab":{"a":0,"b":1,"toString":2}}}']]),
  )
  return () => {
    const tokenizer = parseTokenizer(new Map([['tokenizer.json', text]]))
    planVocabulary({
      models: [
        { label: 'a', tokenizer, embeddingRows: rows ?? tokenizer.ids.size },
        { label: 'b', tokenizer: other, embeddingRows: 3 },
      ],
      baseIndex: 0,
      setting: { kind: 'complete-rows', source: { kind: 'union' }, tokens: [] },
    })
  }
}

async function armAdapter(settings, folder) {
  const { openCheckpoint } = await import('@mk/checkpoint')
  const { copyModel, modelFolder, modelJson, replaceFile } = await import('../fuzz/golden-models.mjs')
  const adapter = copyModel('lora-qvd', join(folder, 'adapter'))
  replaceFile(
    adapter,
    'adapter_config.json',
    JSON.stringify({ ...modelJson('lora-qvd', 'adapter_config.json'), ...settings }),
  )
  const name = `base_model.model.${'a'.repeat(2000)}b.layers.0.x`
  const header = `{"${name}.lora_A.weight":${entry('F32', '4,2', 0, 32)},"${name}.lora_B.weight":${entry('F32', '2,4', 32, 64)}}`
  replaceFile(adapter, 'adapter_model.safetensors', safetensors(header, 64))
  return () => openCheckpoint({ path: modelFolder('llama-base'), adapters: [{ path: adapter }] }, { roots: [folder] })
}
