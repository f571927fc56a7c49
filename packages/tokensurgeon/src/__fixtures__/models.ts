import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type MergePlan, type PreparedMerge, type PrepareSettings, runMerge } from '@mk/merge'
import { wasmRuntime } from '@mk/merge/run'
import { type Dtype, dtypeBytes } from '@mk/safetensors'
import { createSafetensorsWriter, readSafetensorsHeader } from '@mk/safetensors/node'
import { decode, encode } from '@mk/tensor'
import { afterAll } from 'vitest'
import { prepareTokensurgeon, type TransplantRequest } from '../prepare-tokensurgeon.ts'

export const goldens = fileURLToPath(new URL('../../../../goldens', import.meta.url))
export const modelPath = (name: string): string =>
  name.startsWith('tiny-') ? join(goldens, '../examples/models', name) : join(goldens, 'models', name)

export interface LoadedTensor {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** All tensors of a folder. */
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

export const readJson = (folder: string, name = 'config.json') =>
  JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>

/** Tells whether two arrays are the same to the last bit. */
export const sameBytes = (a: Float32Array, b: Float32Array): boolean =>
  Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength))

/** A row of a loaded matrix. */
export const rowOf = ({ values, shape }: LoadedTensor, row: number): number[] => [
  ...values.subarray(row * shape[1]!, (row + 1) * shape[1]!),
]

export interface Made {
  readonly out: string
  readonly prepared: PreparedMerge
  readonly plan: MergePlan
  readonly tensors: ReadonlyMap<string, LoadedTensor>
}

/** The collector counts a runtime's memory as in use, and runs after each tiny merge if it is that of a real one. */
const runtime = { ...wasmRuntime, options: { memoryBytes: 2 ** 24 } }

type Request = Omit<TransplantRequest, 'model' | 'donor'> & { readonly model: string; readonly donor: string }

/** A folder for outputs and changed models, which goes when the tests of the file are over. */
export function useFolder() {
  const root = mkdtempSync(join(tmpdir(), 'mk-surgeon-'))
  let count = 0
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  return {
    root,
    async make(request: Request, options: PrepareSettings = {}): Promise<Made> {
      const out = join(root, `out-${++count}`)
      const prepared = await prepareTokensurgeon(request, options)
      const plan = await prepared.download({ out, threads: 0, runtime })
      await runMerge(plan, { out, methods: prepared.methods, threads: 0, runtime, cacheBytes: 2 ** 20 })
      await prepared.release!()
      return { out, prepared, plan, tensors: await loadTensors(out) }
    },
    /** Computes new rows, those of each matrix as they lie beside an output. */
    async computeRows(request: Request): Promise<readonly Uint8Array[]> {
      const out = join(root, `rows-${++count}`)
      const prepared = await prepareTokensurgeon(request, {})
      await prepared.download({ out, threads: 0, runtime })
      const [beside] = (await readdir(root)).filter((name) => name.startsWith(`.rows-${count}.`))
      const files = (await readdir(join(root, beside!))).filter((name) => name.endsWith('.f32'))
      const rows = files.toSorted().map((name) => readFileSync(join(root, beside!, name)))
      await prepared.release!()
      return rows
    },
    /** Copies a model with other tensors, another config, or changed files. */
    async change(
      name: string,
      {
        tensors = (all) => all,
        config = {},
        files = {},
      }: {
        readonly tensors?: (all: Map<string, LoadedTensor>) => ReadonlyMap<string, LoadedTensor>
        readonly config?: Readonly<Record<string, unknown>>
        readonly files?: Readonly<Record<string, (text: string) => string>>
      },
    ): Promise<string> {
      const folder = join(root, `model-${++count}`)
      const from = modelPath(name)
      mkdirSync(folder)
      for (const file of await readdir(from))
        if (!file.endsWith('.safetensors')) cpSync(join(from, file), join(folder, file))
      const changed = tensors(await loadTensors(from))
      const writer = await createSafetensorsWriter(
        join(folder, 'model.safetensors'),
        [...changed].map(([tensor, { dtype, shape }]) => ({ name: tensor, dtype, shape })),
        { format: 'pt' },
      )
      for (const [tensor, { dtype, values }] of changed) {
        const bytes = new Uint8Array(values.length * dtypeBytes(dtype))
        encode(dtype, values, bytes, 0)
        await writer.write(tensor, 0, bytes)
      }
      await writer.finish()
      await writer.close()
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...readJson(folder), ...config }))
      for (const [file, edit] of Object.entries(files))
        writeFileSync(join(folder, file), edit(readFileSync(join(folder, file), 'utf8')))
      return folder
    },
  }
}
