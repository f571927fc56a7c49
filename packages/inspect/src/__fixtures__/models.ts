import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RuntimeSpecifier } from '@mk/merge'
import { type Dtype, dtypeBytes, elementCount, layoutFile } from '@mk/safetensors'
import { encode } from '@mk/tensor'
import { type DiffOptions, diffModels } from '../diff/diff-models.ts'
import { prepareDiff } from '../diff/prepare-diff.ts'

export const root = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url))

/** From source, in the calling thread: a worker can't start from there. */
export const wasm: RuntimeSpecifier = {
  name: 'wasm',
  module: import.meta.resolve('@mk/runtime-wasm'),
  factory: 'createWasmRuntime',
  // The collector counts a runtime's memory as in use, and runs after each tiny merge if it is that of a real one.
  options: { memoryBytes: 2 ** 25 },
}

/** The same numbers with nothing to compile, which is quicker for small tensors. */
export const reference: RuntimeSpecifier = {
  name: 'reference',
  module: import.meta.resolve('@mk/tensor/runtime'),
  factory: 'createReferenceRuntime',
}

/** Runs with a folder that is gone afterwards. */
export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'mk-inspect-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export interface Tensor {
  readonly dtype?: Dtype
  readonly shape: readonly number[]
  readonly values: readonly number[] | ((index: number) => number)
}

/** The bytes of a file of tensors. */
export function fileOf(tensors: Readonly<Record<string, Tensor>>): Uint8Array {
  const entries = Object.entries(tensors).map(([name, { dtype = 'F32', shape }]) => ({ name, dtype, shape }))
  const layout = layoutFile(entries, { format: 'pt' })
  const bytes = new Uint8Array(layout.fileBytes)
  bytes.set(layout.header)
  for (const { name, dtype, shape, byteStart } of layout.tensors) {
    const { values } = tensors[name]!
    const floats = Float32Array.from({ length: elementCount(shape) }, (_, index) =>
      typeof values === 'function' ? values(index) : values[index]!,
    )
    encode(dtype, floats, bytes.subarray(byteStart, byteStart + floats.length * dtypeBytes(dtype)), 0)
  }
  return bytes
}

/** Writes a file of tensors, which is a model of its own. @returns its path */
export async function writeTensors(
  folder: string,
  name: string,
  tensors: Readonly<Record<string, Tensor>>,
): Promise<string> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, `${name}.safetensors`)
  await writeFile(file, fileOf(tensors))
  return file
}

/** Compares two models in this thread. */
export async function diff(a: string, b: string, { base, ...options }: DiffOptions & { readonly base?: string } = {}) {
  const prepared = await prepareDiff({ a, b, ...(base !== undefined && { base }) }, {})
  return diffModels(prepared, { threads: 0, runtime: wasm, ...options })
}
