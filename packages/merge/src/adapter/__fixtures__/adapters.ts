import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openCheckpoint } from '@mk/checkpoint'
import { elementCount, type Dtype, dtypeBytes } from '@mk/safetensors'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import { createSourceReader } from '@mk/source/node'
import { decode } from '@mk/tensor'
import { prepareMerge } from '../../node/prepare-merge.ts'
import { type MergeResult, runMerge, type RunOptions } from '../../node/run-merge.ts'
import type { PrepareSettings } from '../../prepare/prepare-merge.ts'
import { wasmRuntime } from '../../__fixtures__/merge.ts'
import { type TinyTensor, writeModel } from '../../__fixtures__/models.ts'

export const base = fileURLToPath(new URL('../../../../../goldens/models/llama-base', import.meta.url))

/** The adapter of that name, over the base. */
export const adapted = (...names: readonly string[]): string =>
  [base, ...names.map((name) => fileURLToPath(new URL(name, import.meta.url)))].join('+')

export interface Elements {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** All tensors of a safetensors file. */
export async function readFile(file: string): Promise<Map<string, Elements>> {
  const { tensors } = await readSafetensorsHeader(file)
  const bytes = readFileSync(file)
  return new Map(
    tensors.map(({ name, dtype, shape, byteStart }) => {
      const values = new Float32Array(elementCount(shape))
      decode(dtype, bytes.subarray(byteStart), 0, values)
      return [name, { dtype, shape, values }]
    }),
  )
}

/** b · a, in float64. */
export function product({ shape: [rows, rank], values: b }: Elements, { shape, values: a }: Elements): Float64Array {
  const columns = shape[1]!
  const result = new Float64Array(rows! * columns)
  for (let row = 0; row < rows!; row++)
    for (let k = 0; k < rank!; k++)
      for (let column = 0; column < columns; column++)
        result[row * columns + column]! += b[row * rank! + k]! * a[k * columns + column]!
  return result
}

/** An adapter that was written. */
export interface Adapter {
  readonly out: string
  readonly config: Readonly<Record<string, unknown>> & {
    readonly r: number
    readonly target_modules: readonly string[]
    readonly modules_to_save: readonly string[] | null
    readonly rank_pattern: Readonly<Record<string, number>>
  }
  readonly tensors: ReadonlyMap<string, Elements>
  readonly notes: readonly string[]
  /** Those that followed from norms. */
  readonly weights: MergeResult['weights']
  /** The product of a module's factors. */
  product(module: string): Float64Array
  rankOf(module: string): number
}

export type AdapterOptions = Partial<RunOptions> & { readonly prepare?: PrepareSettings }

/** Merges into an adapter, by default in this thread. */
export async function mergeAdapter(
  folder: string,
  recipe: string,
  { prepare, ...run }: AdapterOptions = {},
): Promise<Adapter> {
  const out = run.out ?? join(folder, 'adapter')
  const { plan, methods } = await prepareMerge({ text: recipe, file: join(folder, 'recipe.yml'), ...prepare })
  const { weights } = await runMerge(plan, { out, methods, runtime: wasmRuntime, threads: 0, overwrite: true, ...run })
  const tensors = await readFile(join(out, 'adapter_model.safetensors'))
  const factor = (module: string, side: 'A' | 'B') => {
    const name = `base_model.model.${module}.lora_`
    return (tensors.get(`${name}${side}.weight`) ?? tensors.get(`${name}embedding_${side}`))!
  }
  return {
    out,
    config: JSON.parse(readFileSync(join(out, 'adapter_config.json'), 'utf8')) as Adapter['config'],
    tensors,
    notes: plan.notes,
    weights,
    product: (module) => product(factor(module, 'B'), factor(module, 'A')),
    rankOf: (module) => factor(module, 'A').shape[0]!,
  }
}

/** All tensors of a model, with adapters over it. */
export async function readModel(path: string, ...adapters: readonly string[]): Promise<Map<string, Float32Array>> {
  const reference = { path, adapters: adapters.map((adapter) => ({ path: adapter })) }
  const { tensors } = await openCheckpoint(reference, { roots: ['/'] })
  const reader = createSourceReader()
  const all = new Map<string, Float32Array>()
  for (const [name, source] of tensors) {
    const count = elementCount(source.shape)
    const bytes = new Uint8Array(count * dtypeBytes(source.dtype))
    reader.read(source, 0, count, bytes)
    const values = new Float32Array(count)
    decode(source.dtype, bytes, 0, values)
    all.set(name, values)
  }
  reader.close()
  return all
}

/** How far two lists of numbers are apart, as a share of the norm of the second. */
export function distance(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, norm] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    difference += (found[i]! - expected[i]!) ** 2
    norm += expected[i]! ** 2
  }
  return found.length === expected.length ? Math.sqrt(difference / (norm || 1)) : Infinity
}

/** How an adapter that is written for a test is scaled, and what its numbers are. */
export interface WrittenAdapter {
  readonly alpha?: number
  readonly rslora?: boolean
  readonly seed?: number
  readonly dtype?: Dtype
  /** Factors by index; absent: all differ. */
  readonly value?: (index: number) => number
}

/** Writes an adapter: each module's [out, rank, in]. */
export async function writeAdapter(
  folder: string,
  modules: Readonly<Record<string, readonly [number, number, number]>>,
  {
    alpha,
    rslora = false,
    seed = 1,
    dtype = 'F32',
    value = (index) => Math.sin(seed * 7 + index * index) / 4,
  }: WrittenAdapter = {},
): Promise<void> {
  const all = Object.entries(modules)
  const tensors: Record<string, TinyTensor> = Object.fromEntries(
    all.flatMap(([module, [out, rank, input]], at) => [
      [`base_model.model.${module}.lora_A.weight`, { dtype, shape: [rank, input], value: (i) => value(i + 1000 * at) }],
      [
        `base_model.model.${module}.lora_B.weight`,
        { dtype, shape: [out, rank], value: (i) => value(i + 1000 * at + 500) },
      ],
    ]),
  )
  await writeModel(folder, { tensors })
  await rename(join(folder, 'model.safetensors'), join(folder, 'adapter_model.safetensors'))
  const ranks = all.map(([, [, rank]]) => rank)
  const config = {
    peft_type: 'LORA',
    r: ranks[0],
    lora_alpha: alpha ?? ranks[0],
    rank_pattern: Object.fromEntries(all.map(([module, [, rank]]) => [module, rank])),
    target_modules: Object.keys(modules),
    use_rslora: rslora,
  }
  await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(config))
}
