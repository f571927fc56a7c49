import type { Dtype } from '@mk/safetensors'
import type { TensorSource } from '@mk/source'
import { expect } from 'vitest'
import type { ModelConfig } from '../config-quantization.ts'
import type { Layout } from '../layouts/layout.ts'
import { partsOf } from '../parts.ts'

export type Part = readonly [Dtype, ...number[]]

/** The weights of module 'm' by a layout; `small` are bytes that are read of its parts. */
export async function open(
  layout: Layout,
  parts: Readonly<Record<string, Part>>,
  settings: ModelConfig = {},
  small: Readonly<Record<string, ArrayBufferView>> = {},
) {
  const used = new Set<string>()
  const tensors = new Map(
    Object.entries(parts).map(([ending, [dtype, ...shape]]): [string, TensorSource] => [
      `m${ending}`,
      { kind: 'file', file: `m${ending}`, byteStart: 0, dtype, shape },
    ]),
  )
  const readSmall = async (source: TensorSource) => {
    const { buffer, byteOffset, byteLength } = small[(source as { file: string }).file.slice(1)]!
    return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
  }
  const opened = await layout.open(partsOf('m', { folder: 'f', scheme: 's', settings, tensors, readSmall, used }))
  return { ...opened, used: [...used].toSorted() }
}
/** The error of a part that does not fit. */
export const refuses = (tensor: string, expected: string) =>
  expect.objectContaining({
    code: 'quantized-part',
    issue: expect.objectContaining({ tensor: `m${tensor}`, expected: expect.stringContaining(expected) }),
  })
/** The error of a setting that nothing is known for. */
export const unfit = (setting: string, found: string) =>
  expect.objectContaining({ code: 'quantized-setting', issue: expect.objectContaining({ setting, found }) })
