import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { dtypeBytes, elementCount, formatIndex, layoutFile, type TensorType } from '@mk/safetensors'

export type Types = Readonly<Record<string, readonly [TensorType['dtype'], ...number[]]>>

/** A safetensors file whose bytes count 0, 1, 2, … within each tensor. */
export function safetensorsBytes(types: Types): Uint8Array {
  const tensors = Object.entries(types).map(([name, [dtype, ...shape]]) => ({ name, dtype, shape }))
  const layout = layoutFile(tensors)
  const bytes = new Uint8Array(layout.fileBytes)
  bytes.set(layout.header)
  for (const { dtype, shape, byteStart } of layout.tensors) {
    for (let i = 0; i < elementCount(shape) * dtypeBytes(dtype); i++) bytes[byteStart + i] = i % 100
  }
  return bytes
}

/** Writes files by path: text, bytes, or data to become JSON. */
export async function writeFiles(folder: string, files: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(
      join(folder, name),
      typeof content === 'string' || content instanceof Uint8Array ? content : JSON.stringify(content),
    )
  }
}

export const index = (weightMap: Readonly<Record<string, string>>): string =>
  formatIndex(new Map(Object.entries(weightMap)), {})
