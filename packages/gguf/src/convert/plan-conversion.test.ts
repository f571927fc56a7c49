import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { GgufValue } from '../metadata.ts'
import { madeCases, readCase, requestOf, trainedCases } from './__fixtures__/cases.ts'
import { encodedTensors } from './__fixtures__/plain-file.ts'
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

describe.each([...madeCases, ...trainedCases])("%s as llama.cpp's script has it", (name) => {
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

  it.each(['F32', 'F16', 'Q8_0'] as const)('has the same tensors of the same bytes as %s', (type) => {
    const theirs = fixture.gguf.tensors.map(({ name: tensor, dimensions }, index) => [
      tensor,
      { dimensions, content: fixture.gguf.hashes[type]![index] },
    ])
    const ours = encodedTensors(name, type).map((tensor) => {
      const hash = createHash('sha256').update(tensor.bytes).digest('hex').slice(0, 32)
      return [tensor.name, { dimensions: tensor.shape.toReversed(), content: `${tensor.type} ${hash}` }]
    })
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs))
    const fileType = planConversion(requestOf(name, type)).plan.metadata.get('general.file_type')
    expect(fileType).toEqual({ type: 'uint32', value: fixture.gguf.fileTypes[type] })
  })
})

it('writes the embedding of Qwen MoE a second time as its head where they are one, since llama.cpp asks for a head', () => {
  const request = requestOf('qwen2moe', 'F32')
  const tensors = request.tensors.filter(({ name }) => name !== 'lm_head.weight')
  const tied = planConversion({ ...request, tensors, config: { ...request.config, tie_word_embeddings: true } }).plan
  const [embedding, head] = ['token_embd.weight', 'output.weight'].map((name) =>
    tied.tensors.find((tensor) => tensor.name === name),
  )
  expect(tensors.length).toBeLessThan(request.tensors.length)
  expect(head).toEqual({ ...embedding, name: 'output.weight' })
})
