import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Dtype, dtypeBytes, elementCount, layoutFile } from '@mk/safetensors'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import { decode, encode } from '@mk/tensor'
import { afterAll, beforeEach } from 'vitest'

export interface TinyTensor {
  readonly dtype?: Dtype
  readonly shape: readonly number[]
  /** Values by index; absent: all differ, and differ from those of other tensors and other `seed`s. */
  readonly value?: (index: number) => number
}

export interface TinyModel {
  /** Absent: raw mode. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly tensors: Readonly<Record<string, TinyTensor>>
  readonly files?: Readonly<Record<string, string>>
  readonly seed?: number
}

/** An empty folder for each test of the calling file. */
export function useFolder(): { readonly path: string } {
  const root = mkdtempSync(join(tmpdir(), 'mk-merge-'))
  let count = 0
  beforeEach(() => mkdir(join(root, String(++count))).then(() => {}))
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  return {
    get path() {
      return join(root, String(count))
    },
  }
}

/** Writes a model's folder; without a config only `model.safetensors` in it. */
export async function writeModel(folder: string, { config, tensors, files = {}, seed = 1 }: TinyModel): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [name, text] of Object.entries({ ...(config && { 'config.json': JSON.stringify(config) }), ...files })) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  const types = Object.entries(tensors).map(([name, { dtype = 'F32', shape }]) => ({ name, dtype, shape }))
  const layout = layoutFile(types, { format: 'pt' })
  const bytes = new Uint8Array(layout.fileBytes)
  bytes.set(layout.header)
  for (const { name, dtype, shape, byteStart } of layout.tensors) {
    const phase = seed * 100 + hash(name)
    const value = tensors[name]!.value ?? ((index: number) => Math.sin(phase + index))
    const values = new Float32Array(elementCount(shape))
    for (let index = 0; index < values.length; index++) values[index] = value(index)
    bytes.set(bytesOf(dtype, values), byteStart)
  }
  await writeFile(join(folder, 'model.safetensors'), bytes)
}

function bytesOf(dtype: Dtype, values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * dtypeBytes(dtype))
  encode(dtype, values, bytes, 0)
  return bytes
}

const hash = (text: string) => [...text].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)!) % 997, 7)

export interface LlamaOptions {
  readonly layers?: number
  readonly rows?: number
  readonly hidden?: number
  readonly dtype?: Dtype
  /** No head is stored and config.json says so. */
  readonly tied?: boolean
  readonly config?: Readonly<Record<string, unknown>>
  readonly extra?: Readonly<Record<string, TinyTensor>>
  readonly without?: readonly string[]
  readonly files?: Readonly<Record<string, string>>
  readonly seed?: number
}

export function tinyLlama({
  layers = 2,
  rows = 6,
  hidden = 4,
  dtype = 'F32',
  tied = false,
  config,
  extra = {},
  without = [],
  ...rest
}: LlamaOptions = {}): TinyModel {
  const tensors: Record<string, TinyTensor> = { 'model.embed_tokens.weight': { dtype, shape: [rows, hidden] } }
  for (let layer = 0; layer < layers; layer++) {
    const path = `model.layers.${layer}`
    tensors[`${path}.input_layernorm.weight`] = { dtype, shape: [hidden] }
    tensors[`${path}.self_attn.q_proj.weight`] = { dtype, shape: [hidden, hidden] }
    tensors[`${path}.mlp.down_proj.weight`] = { dtype, shape: [hidden, hidden + 2] }
  }
  tensors['model.norm.weight'] = { dtype, shape: [hidden] }
  if (!tied) tensors['lm_head.weight'] = { dtype, shape: [rows, hidden] }
  Object.assign(tensors, extra)
  for (const name of without) delete tensors[name]
  const settings = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    num_hidden_layers: layers,
    hidden_size: hidden,
    vocab_size: rows,
    tie_word_embeddings: tied,
    torch_dtype: 'float32',
  }
  return { ...rest, config: { ...settings, ...config }, tensors }
}

/** Writes a tiny Llama under each name. */
export async function writeLlamas(folder: string, models: Readonly<Record<string, LlamaOptions>>): Promise<void> {
  let seed = 1
  for (const [name, options] of Object.entries(models))
    await writeModel(join(folder, name), tinyLlama({ seed: seed++, ...options }))
}

export interface LoadedTensor {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly values: readonly number[]
}

/** Every tensor of a folder, one file or shards. */
export async function loadFolder(folder: string): Promise<Record<string, LoadedTensor>> {
  const loaded: Record<string, LoadedTensor> = {}
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.safetensors')).toSorted()) {
    const bytes = await readFile(join(folder, file))
    for (const { name, dtype, shape, byteStart } of (await readSafetensorsHeader(join(folder, file))).tensors) {
      const values = new Float32Array(elementCount(shape))
      decode(dtype, bytes.subarray(byteStart), 0, values)
      loaded[name] = { dtype, shape, values: [...values] }
    }
  }
  return loaded
}

export const readJson = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>

/** Every file of a folder. */
export const bytesIn = async (folder: string): Promise<Record<string, string>> =>
  Object.fromEntries(
    await Promise.all(
      (await readdir(folder))
        .toSorted()
        .map(async (name) => [name, (await readFile(join(folder, name))).toString('base64')] as const),
    ),
  )
