import { mkdtempSync, rmSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type MergePlan, type PreparedMerge, runMerge } from '@mk/merge'
import { wasmRuntime } from '@mk/merge/run'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import { decode } from '@mk/tensor'
import { afterAll } from 'vitest'
import { prepareMoe, type PrepareMoeOptions } from '../prepare-moe.ts'

export const goldens = fileURLToPath(new URL('../../../../goldens', import.meta.url))

export interface LoadedTensor {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** All tensors of a folder, or those of one of its files. */
export async function loadTensors(folder: string): Promise<Map<string, LoadedTensor>> {
  const tensors = new Map<string, LoadedTensor>()
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.safetensors'))) {
    const bytes = await readFile(join(folder, file))
    for (const { name, dtype, shape, byteStart } of (await readSafetensorsHeader(join(folder, file))).tensors) {
      const values = new Float32Array(shape.reduce((product, size) => product * size, 1))
      decode(dtype, bytes.subarray(byteStart), 0, values)
      tensors.set(name, { dtype, shape, values })
    }
  }
  return tensors
}

export const loadModel = (name: string) => loadTensors(join(goldens, 'models', name))

/** The text of a golden's file, with its models where they are. */
export async function goldenText(name: string): Promise<string> {
  const text = await readFile(join(goldens, 'siblings', name, 'config.yml'), 'utf8')
  return text
    .replaceAll(/\bmodels\//g, `${goldens}/models/`)
    .replaceAll(/: (tiny-\w+)/g, (_, model: string) => `: ${goldens}/../examples/models/${model}`)
}

/** The collector counts a runtime's memory as in use, and runs after each tiny merge if it is that of a real one. */
const runtime = { ...wasmRuntime, options: { memoryBytes: 2 ** 24 } }

/** A folder for outputs, which goes when the tests of the file are over. */
export function useOutputs() {
  const root = mkdtempSync(join(tmpdir(), 'mk-moe-'))
  let count = 0
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  return {
    root,
    /** Makes a mixture. */
    async make(text: string, options: Partial<PrepareMoeOptions> = {}): Promise<Made> {
      const out = join(root, String(++count))
      const prepared = await prepareMoe({ text, file: join(root, 'moe.yml'), ...options })
      const plan = await prepared.download({ out })
      await runMerge(plan, { out, methods: prepared.methods, threads: 0, runtime, cacheBytes: 2 ** 20 })
      return { out, prepared, plan }
    },
  }
}

export interface Made {
  readonly out: string
  readonly prepared: PreparedMerge
  readonly plan: MergePlan
}

/** Floats of a fixture. */
export function floatsOf(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64')
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

/** The largest difference of two arrays. */
export const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  a.length === b.length
    ? Array.from(a, (value, index) => Math.abs(value - b[index]!)).reduce((x, y) => Math.max(x, y), 0)
    : Infinity
