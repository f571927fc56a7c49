import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Checkpoint, openCheckpoint } from '@mk/checkpoint'
import { type Dtype, dtypeBytes, elementCount, layoutFile } from '@mk/safetensors'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import { createSourceReader } from '@mk/source/node'
import { decode, encode } from '@mk/tensor'
import { extractLora } from '../extract-lora.ts'
import type { ExtractionSettings } from '../plan/extraction.ts'
import { planExtraction } from '../plan/plan-extraction.ts'

export const root = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url))

export const open = (path: string, ...adapters: string[]): Promise<Checkpoint> =>
  openCheckpoint({ path, adapters: adapters.map((adapter) => ({ path: adapter })) }, { roots: ['/'] })

/** Runs with a folder that is gone afterwards. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'lora-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Extracts in this thread. */
export async function extract(
  fine: string,
  base: string,
  out: string,
  { strict = false, ...settings }: ExtractionSettings & { readonly strict?: boolean } = {},
) {
  const [fineTune, baseModel] = [await open(fine), await open(base)]
  const plan = planExtraction(fineTune, baseModel, settings)
  const result = await extractLora({ fineTune, base: baseModel, plan, settings, out, strict, threads: 0 })
  return { plan, result, config: JSON.parse(readFileSync(join(out, 'adapter_config.json'), 'utf8')) as Config }
}

interface Config {
  readonly r: number
  readonly target_modules: readonly string[]
  readonly modules_to_save: readonly string[] | null
  readonly rank_pattern: Readonly<Record<string, number>>
  readonly bias: string
  readonly fan_in_fan_out: boolean
}

export interface Values {
  readonly shape: readonly number[]
  readonly dtype: Dtype
  readonly values: Float32Array
}

/** All tensors of a checkpoint, as float32. */
export function valuesOf(checkpoint: Checkpoint): Map<string, Values> {
  const reader = createSourceReader()
  const all = new Map<string, Values>()
  for (const [name, source] of checkpoint.tensors) {
    const count = elementCount(source.shape)
    const bytes = new Uint8Array(count * dtypeBytes(source.dtype))
    reader.read(source, 0, count, bytes)
    const values = new Float32Array(count)
    decode(source.dtype, bytes, 0, values)
    all.set(name, { shape: source.shape, dtype: source.dtype, values })
  }
  reader.close()
  return all
}

/** All tensors of a safetensors file. */
export async function readAdapter(folder: string): Promise<Map<string, Values>> {
  const file = join(folder, 'adapter_model.safetensors')
  const { tensors } = await readSafetensorsHeader(file)
  const bytes = readFileSync(file)
  return new Map(
    tensors.map(({ name, dtype, shape, byteStart }) => {
      const values = new Float32Array(elementCount(shape))
      decode(dtype, bytes.subarray(byteStart), 0, values)
      return [name, { shape, dtype, values }]
    }),
  )
}

/** Writes a model of some tensors, of float32 unless they say otherwise. */
export function writeModel(
  folder: string,
  tensors: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly values: ArrayLike<number>; readonly dtype?: Dtype }>
  >,
  config: Readonly<Record<string, unknown>> = {},
): string {
  const names = Object.keys(tensors)
  const layout = layoutFile(
    names.map((name) => ({ name, dtype: tensors[name]!.dtype ?? 'F32', shape: tensors[name]!.shape })),
    {},
  )
  const bytes = new Uint8Array(layout.fileBytes)
  bytes.set(layout.header)
  for (const { name, byteStart, dtype } of layout.tensors)
    encode(dtype, Float32Array.from(tensors[name]!.values), bytes.subarray(byteStart), 0)
  writeFileSync(join(folder, 'model.safetensors'), bytes)
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ model_type: 'llama', architectures: ['LlamaForCausalLM'], num_hidden_layers: 1, ...config }),
  )
  return folder
}

/** The Frobenius norm of a − b, or of a. */
export function norm(a: Float32Array, b?: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i]! - (b?.[i] ?? 0)) ** 2
  return Math.sqrt(sum)
}
