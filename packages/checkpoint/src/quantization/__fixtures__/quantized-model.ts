import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dtypeBytes, elementCount, layoutFile, parseHeader } from '@mk/safetensors'

/** What a library makes of its own codes: the bits of float32 values. */
export interface ExpectedWeights {
  readonly shape: readonly number[]
  readonly values: Uint32Array
}

const folder = new URL('.', import.meta.url)

/** Lists the files that make-quantized.py made, without their ending. */
export const quantizedFixtures = (): readonly string[] =>
  readdirSync(folder).flatMap((name) => (name.endsWith('.safetensors') ? [name.slice(0, -'.safetensors'.length)] : []))

/** Writes a fixture as a model's folder, perhaps changed. @returns what is expected of its weights, and config.json */
export async function writeQuantizedModel(
  name: string,
  into: string,
  change: (tensors: Map<string, RawTensor>, config: Record<string, unknown>) => void = () => {},
): Promise<{ readonly expected: ReadonlyMap<string, ExpectedWeights>; readonly config: Record<string, unknown> }> {
  const bytes = new Uint8Array(readFileSync(new URL(`${name}.safetensors`, folder)))
  const { tensors, metadata } = parseHeader(bytes, bytes.length, name)
  const config = JSON.parse(metadata['config']!) as Record<string, unknown>
  const stored = new Map<string, RawTensor>()
  const expected = new Map<string, ExpectedWeights>()
  for (const { name: tensor, dtype, shape, byteStart } of tensors) {
    const data = bytes.slice(byteStart, byteStart + elementCount(shape) * dtypeBytes(dtype))
    const ofModel = /^expected\.(.*)$/.exec(tensor)?.[1]
    if (ofModel === undefined) stored.set(tensor, { dtype, shape, data })
    else expected.set(ofModel, { shape, values: new Uint32Array(data.buffer) })
  }
  change(stored, config)
  await writeSafetensors(into, config, stored)
  return { expected, config }
}

/** Writes a model's folder. */
export async function writeSafetensors(
  into: string,
  config: Readonly<Record<string, unknown>>,
  tensors: ReadonlyMap<string, RawTensor>,
): Promise<void> {
  await mkdir(into, { recursive: true })
  await writeFile(join(into, 'config.json'), JSON.stringify(config))
  await writeFile(join(into, 'model.safetensors'), fileOf(tensors))
}

export interface RawTensor {
  readonly dtype: ReturnType<typeof parseHeader>['tensors'][number]['dtype']
  readonly shape: readonly number[]
  readonly data: Uint8Array
}

function fileOf(tensors: ReadonlyMap<string, RawTensor>): Uint8Array {
  const types = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))
  const layout = layoutFile(types, { format: 'pt' })
  const bytes = new Uint8Array(layout.fileBytes)
  bytes.set(layout.header)
  for (const { name, byteStart } of layout.tensors) bytes.set(tensors.get(name)!.data, byteStart)
  return bytes
}
