import { readFileSync } from 'node:fs'
import { parseHeader } from '@mk/safetensors'
import { createBlockEncoder, type EncodedGgmlType } from '../../blocks/quantize.ts'
import { layoutGguf } from '../../layout.ts'
import { storedGgmlType } from '../../stored-type.ts'
import type { GgufTensorPlan } from '../../tensor-plan.ts'
import { planConversion } from '../plan-conversion.ts'
import { type FixtureCase, readCase, requestOf } from './cases.ts'
import { tinyWeights } from './tiny-weights.ts'

/** Gives the elements of a tensor of a model. */
type Elements = (tensor: string) => { readonly shape: readonly number[]; readonly values: Float32Array }

/** Makes the bytes of each tensor of a case's GGUF, as its plan says, in the plainest way: all of it in memory. */
export function encodedTensors(
  name: string,
  type: EncodedGgmlType,
): { name: string; shape: readonly number[]; type: EncodedGgmlType; bytes: Uint8Array }[] {
  const elements = elementsOf(readCase(name))
  return planConversion(requestOf(name, type)).plan.tensors.map((tensor) => {
    const stored = storedGgmlType(tensor, type) as EncodedGgmlType
    const values = contentOf(tensor, elements)
    const { tensors, header } = layoutGguf(new Map(), [{ name: tensor.name, shape: tensor.shape, type: stored }])
    const bytes = new Uint8Array(tensors[0]!.byteEnd - header.length)
    createBlockEncoder(stored)(values, bytes)
    return { name: tensor.name, shape: tensor.shape, type: stored, bytes }
  })
}

/** Makes a case's whole GGUF. */
export function ggufFile(name: string, type: EncodedGgmlType): Uint8Array {
  const encoded = encodedTensors(name, type)
  const { header, tensors, fileBytes } = layoutGguf(planConversion(requestOf(name, type)).plan.metadata, encoded)
  const file = new Uint8Array(fileBytes)
  file.set(header)
  for (const [index, { byteStart }] of tensors.entries()) file.set(encoded[index]!.bytes, byteStart)
  return file
}

function elementsOf({ model, weights, norm }: FixtureCase): Elements {
  if (model === undefined) {
    const shapes = new Map(weights!.map(({ name, shape }) => [name, shape]))
    return (tensor) => ({ shape: shapes.get(tensor)!, values: tinyWeights(tensor, shapes.get(tensor)!, norm!) })
  }
  const bytes = new Uint8Array(
    readFileSync(new URL(`../../../../../examples/models/${model}/model.safetensors`, import.meta.url)),
  )
  const { tensors } = parseHeader(bytes, bytes.length)
  return (name) => {
    const { byteStart, byteEnd, shape } = tensors.find((tensor) => tensor.name === name)!
    const stored = new Uint16Array(bytes.slice(byteStart, byteEnd).buffer)
    return { shape, values: new Float32Array(Uint32Array.from(stored, (bits) => bits << 16).buffer) }
  }
}

function contentOf({ content }: GgufTensorPlan, elements: Elements): Float32Array {
  if (content.kind === 'values') return Float32Array.from(content.values)
  const parts = content.parts.map(({ source, rows, interleaveHeads }) => {
    const { shape, values } = elements(source)
    const columns = shape.length === 1 ? 1 : shape.at(-1)!
    const taken =
      rows === undefined ? values : values.subarray(rows.start * columns, (rows.start + rows.count) * columns)
    return interleaveHeads === undefined ? taken : interleaved(taken, columns, interleaveHeads)
  })
  const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  for (const part of parts) {
    joined.set(part, end)
    end += part.length
  }
  const { add } = content
  return add === undefined ? joined : joined.map((value) => Math.fround(value + add))
}

function interleaved(values: Float32Array, columns: number, heads: number): Float32Array {
  const perHalf = values.length / columns / heads / 2
  const moved = new Float32Array(values.length)
  for (let head = 0; head < heads; head++)
    for (const half of [0, 1])
      for (let row = 0; row < perHalf; row++) {
        const from = ((head * 2 + half) * perHalf + row) * columns
        moved.set(values.subarray(from, from + columns), ((head * perHalf + row) * 2 + half) * columns)
      }
  return moved
}
