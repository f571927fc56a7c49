import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { GgufValue } from '../metadata.ts'
import { storedGgmlType } from '../stored-type.ts'
import type { GgufTensorPlan } from '../tensor-plan.ts'
import { type FixtureCase, madeCases, readCase, requestOf } from './__fixtures__/cases.ts'
import { tinyWeights } from './__fixtures__/tiny-weights.ts'
import { planConversion } from './plan-conversion.ts'

/** A value as make-fixtures.py writes it: long arrays as a hash. */
function described(value: GgufValue): { type: string[]; value: unknown } {
  if (value.type !== 'array') {
    const plain = value.type === 'float32' ? Math.fround(value.value) : value.value
    return { type: [value.type.toUpperCase()], value: plain }
  }
  const values = Array.from(value.values as ArrayLike<string | number>)
  const texts = values.map((element) =>
    value.elementType === 'float32' ? pythonFloat(Math.fround(element as number)) : String(element),
  )
  return {
    type: ['ARRAY', value.elementType.toUpperCase()],
    value:
      values.length <= 8
        ? values
        : {
            length: values.length,
            first: values.slice(0, 6),
            last: values.slice(-4),
            sha256: createHash('sha256').update(texts.join('\n')).digest('hex'),
          },
  }
}

const pythonFloat = (value: number): string =>
  Number.isInteger(value) ? `${value === 0 ? (Object.is(value, -0) ? '-0' : '0') : value}.0` : String(value)

/** Keys that llama.cpp's script has and we have not, or the other way round (docs/decisions/gguf-beside-llama-cpp.md). */
const onlyTheirs = ['tokenizer.ggml.add_sep_token']
const onlyOurs: Readonly<Record<string, readonly string[]>> = {
  llama2: ['tokenizer.ggml.unknown_token_id'],
  mistral: ['tokenizer.ggml.unknown_token_id'],
}

/** The elements of a tensor of the file in float32, made as its plan says, in the plainest way. */
function contentOf({ content }: GgufTensorPlan, fixture: FixtureCase): Float32Array {
  const shapes = new Map(fixture.weights!.map(({ name, shape }) => [name, shape]))
  if (content.kind === 'values') return Float32Array.from(content.values)
  const parts = content.parts.map(({ source, rows, interleaveHeads: heads }) => {
    const shape = shapes.get(source)!
    const all = tinyWeights(source, shape, fixture.norm!)
    const columns = shape.length === 1 ? 1 : shape.at(-1)!
    const taken = rows === undefined ? all : all.subarray(rows.start * columns, (rows.start + rows.count) * columns)
    if (heads === undefined) return taken
    const perHalf = taken.length / columns / heads / 2
    const moved = new Float32Array(taken.length)
    for (let head = 0; head < heads; head++)
      for (const half of [0, 1])
        for (let row = 0; row < perHalf; row++) {
          const from = ((head * 2 + half) * perHalf + row) * columns
          moved.set(taken.subarray(from, from + columns), ((head * perHalf + row) * 2 + half) * columns)
        }
    return moved
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

describe.each(madeCases)("%s as llama.cpp's script has it", (name) => {
  const fixture = readCase(name)
  const { plan } = planConversion(requestOf(name, 'F32'))

  it('has the same metadata', () => {
    const ours = [...plan.metadata].map(([key, value]) => [key, described(value)] as const)
    const theirs = fixture.gguf.metadata.map(({ key, type, value }) => [key, { type, value }] as const)
    const wanted = Object.fromEntries(theirs.filter(([key]) => !onlyTheirs.includes(key)))
    for (const key of onlyOurs[name] ?? []) wanted[key] = Object.fromEntries(ours)[key]!
    const scores = 'tokenizer.ggml.scores'
    // The script has no scores for a tokenizer.json: all -1000.
    if (name === 'mistral-json') wanted[scores] = Object.fromEntries(ours)[scores]!
    expect(Object.fromEntries(ours)).toEqual(wanted)
  })

  it('has the same tensors, element by element', () => {
    const sorted = <T extends { readonly name: string }>(list: readonly T[]): T[] =>
      list.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    const hashes = new Map(
      fixture.gguf.tensors.map((tensor, index) => [tensor.name, fixture.gguf.hashes['F32']![index]]),
    )
    expect(sorted(plan.tensors).map(({ name: tensor, shape }) => [tensor, shape.toReversed()])).toEqual(
      sorted(fixture.gguf.tensors).map(({ name: tensor, dimensions }) => [tensor, dimensions]),
    )
    for (const tensor of plan.tensors) {
      const hash = createHash('sha256').update(contentOf(tensor, fixture)).digest('hex').slice(0, 32)
      expect([tensor.name, `F32 ${hash}`]).toEqual([tensor.name, hashes.get(tensor.name)])
    }
  })

  it.each(['F16', 'Q8_0'] as const)('has the same types where %s is asked for', (type) => {
    const types = new Map(
      fixture.gguf.tensors.map((tensor, index) => [tensor.name, fixture.gguf.hashes[type]![index]!.split(' ')[0]]),
    )
    for (const tensor of plan.tensors)
      expect([tensor.name, storedGgmlType(tensor, type)]).toEqual([tensor.name, types.get(tensor.name)])
    const fileType = planConversion(requestOf(name, type)).plan.metadata.get('general.file_type')
    expect(fileType).toEqual({ type: 'uint32', value: fixture.gguf.fileTypes[type] })
  })
})
