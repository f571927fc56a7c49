import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DecodedGgmlType, dequantize, type GgufHeader, type GgufMetadata, parseGgufHeader } from '@mk/gguf'
import { readGgufHeader } from '@mk/gguf/node'
import { describe, expect, it } from 'vitest'
import { ggufFile } from '../../../gguf/src/convert/__fixtures__/plain-file.ts'
import { writeCase as writeMade } from '../__fixtures__/gguf-cases.ts'
import { expectIssue, mergeIn, planIn, prepareIn } from '../__fixtures__/merge.ts'
import { bytesIn, readJson, useFolder } from '../__fixtures__/models.ts'

const folder = useFolder()

const writeCase = (name: string, into: string, factor = 1) =>
  writeMade(join(folder.path, into), name, { factor, config: { torch_dtype: 'float32' } })

const putGguf = (file: string, name: string, type: 'F32' | 'F16' | 'Q8_0') =>
  writeFile(join(folder.path, file), ggufFile(name, type))

const linear = (a: string, b: string) => `merge_method: linear
dtype: float32
models:
  - {model: ${a}, parameters: {weight: 0.25}}
  - {model: ${b}, parameters: {weight: 0.75}}
`

describe('a GGUF and a model of transformers', () => {
  it.each(['llama3', 'gemma2', 'mixtral'])('of %s merge as if both were of transformers', async (name) => {
    await writeCase(name, 'other', 0.5)
    await writeCase(name, 'plain')
    await putGguf('model.gguf', name, 'F32')
    const [mixed, plain] = [join(folder.path, 'mixed'), join(folder.path, 'plain-out')]
    const { tensors, plan } = await mergeIn(folder.path, linear('other', 'model.gguf'), { out: mixed })
    const expected = await mergeIn(folder.path, linear('other', 'plain'), { out: plain })
    expect(Object.keys(tensors)).toEqual(Object.keys(expected.tensors))
    for (const [tensor, { values, shape }] of Object.entries(expected.tensors)) {
      expect(tensors[tensor]!.shape).toEqual(shape)
      // 1 that was added and taken off again costs the last bits.
      const tolerance = name.startsWith('gemma') && /norm/.test(tensor) ? 1e-7 : 0
      const most = values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - tensors[tensor]!.values[i]!)), 0)
      expect([tensor, most <= tolerance]).toEqual([tensor, true])
    }
    const [a, b] = [await bytesIn(mixed), await bytesIn(plain)]
    expect(a['config.json']).toBe(b['config.json'])
    expect(a['tokenizer.json']).toBe(b['tokenizer.json'])
    expect(plan.notes).toEqual([expect.stringContaining('model.gguf: its tensors have the names of transformers here')])
  })

  it('takes config.json and tokenizer from the other, though the GGUF is the base', async () => {
    await writeCase('llama3', 'other', 0.5)
    await putGguf('model.gguf', 'llama3', 'Q8_0')
    const text = 'merge_method: slerp\nbase_model: model.gguf\nmodels: [{model: other}]\nparameters: {t: 0.5}'
    const { out, plan } = await mergeIn(folder.path, text)
    expect(await readJson(join(out, 'config.json'))).toMatchObject({ model_type: 'llama', torch_dtype: 'float32' })
    expect(plan.notes).toContainEqual(expect.stringMatching(/model\.gguf: 16 tensors are dequantized \(Q8_0\)/))
    expect(Object.keys(await bytesIn(out))).toContain('tokenizer.json')
  })

  it.each(['F16', 'Q8_0'] as const)('of %s with infinity in it, or in a scale, is told of', async (type) => {
    await writeCase('llama3', 'other', 0.5)
    const bytes = ggufFile('llama3', type)
    const { tensors } = parseGgufHeader(bytes, bytes.length)!
    const { byteStart } = tensors.find(({ name }) => name === 'blk.0.ffn_up.weight')!
    new DataView(bytes.buffer, bytes.byteOffset).setUint16(byteStart, 0x7c00, true)
    await writeFile(join(folder.path, 'model.gguf'), bytes)
    const count = type === 'F16' ? 1 : 32
    const found = {
      tensor: 'model.layers.0.mlp.up_proj.weight',
      inputs: [{ model: 'model.gguf', count }],
      results: count,
      overflow: 0,
    }
    const { result } = await mergeIn(folder.path, linear('other', 'model.gguf'))
    expect(result.nonFinite).toMatchObject([found])
    const strict = mergeIn(folder.path, linear('other', 'model.gguf'), { strict: true, overwrite: true })
    await expectIssue(strict, 'values-not-finite')
  })

  it('is refused where the families are others, before anything is written', async () => {
    await writeCase('qwen2', 'other')
    await putGguf('model.gguf', 'llama3', 'F16')
    await expect(planIn(folder.path, linear('other', 'model.gguf'))).rejects.toThrow(
      "a GGUF of 'llama' can't be merged with a model of 'qwen2'; expected other GGUFs, or models of llama, mistral, mixtral",
    )
  })
})

describe('GGUFs', () => {
  it('of different architectures are refused', async () => {
    await putGguf('a.gguf', 'llama3', 'F16')
    await putGguf('b.gguf', 'qwen2', 'F16')
    const message = await expectIssue(planIn(folder.path, linear('a.gguf', 'b.gguf')), 'mixed-architectures')
    expect(message).toContain('a.gguf is llama, b.gguf is qwen2')
  })

  it('with other tokens are merged with a warning', async () => {
    await putGguf('a.gguf', 'llama3', 'F16')
    const file = Buffer.from(ggufFile('llama3', 'F16'))
    const at = file.indexOf('"', file.indexOf('tokenizer.ggml.tokens'), 'latin1')
    file[at] = 0x23
    await writeFile(join(folder.path, 'b.gguf'), file)
    const { warnings } = await prepareIn(folder.path, linear('a.gguf', 'b.gguf'))
    expect(warnings).toEqual([expect.stringMatching(/^token \d+ is "#" in b\.gguf and "\\"" in a\.gguf: /)])
  })

  it('plan in their own names, with layers as slices have them', async () => {
    await putGguf('a.gguf', 'llama3', 'Q8_0')
    await putGguf('b.gguf', 'llama3', 'F32')
    const { tensors } = await planIn(folder.path, linear('a.gguf', 'b.gguf'))
    expect(tensors.map(({ name }) => name)).toContain('blk.1.attn_q.weight')
    const source = (model: string, from: number, to: number) =>
      `  - sources: [{model: ${model}, layer_range: [${from}, ${to}]}]`
    const slices = ['merge_method: passthrough', 'slices:', source('a.gguf', 0, 2), source('b.gguf', 1, 2)].join('\n')
    const names = (await planIn(folder.path, slices)).tensors.map(({ name }) => name)
    expect(names.filter((name) => name.endsWith('attn_q.weight'))).toEqual(
      [0, 1, 2].map((layer) => `blk.${layer}.attn_q.weight`),
    )
  })

  it.each([
    ['Q8_0', 'F32', 'F32'],
    ['F16', 'F16', 'F16'],
    ['Q8_0', 'Q8_0', 'Q8_0'],
  ] as const)('of %s and %s merge to one that says what the first does', async (first, second, wanted) => {
    await putGguf('a.gguf', 'llama3', first)
    await putGguf('b.gguf', 'llama3', second)
    const dtype = wanted === 'F32' ? 'dtype: float32' : ''
    const text = linear('a.gguf', 'b.gguf').replace('dtype: float32', dtype)
    const { out } = await mergeIn(folder.path, text)
    const [merged, donor] = await Promise.all(['out/model.gguf', 'a.gguf'].map(readIn))
    const changed = ['general.name', 'general.file_type']
    const others = (metadata: GgufMetadata) => [...metadata].filter(([key]) => !changed.includes(key))
    expect(new Map(others(merged!.metadata))).toEqual(new Map(others(donor!.metadata)))
    expect(merged!.metadata.get('general.name')).toEqual({ type: 'string', value: 'recipe' })
    const shapes = ({ tensors }: GgufHeader) => new Map(tensors.map(({ name, shape }) => [name, shape]))
    expect(shapes(merged!)).toEqual(shapes(donor!))
    expect(merged!.tensors.find(({ name }) => name === 'blk.0.ffn_up.weight')!.type).toBe(wanted)
    // Both are the same model, but for what the blocks of the first have lost.
    const [a, b] = await Promise.all([valuesIn(join(out, 'model.gguf')), valuesIn(join(folder.path, 'b.gguf'))])
    for (const [name, values] of b)
      expect([name, values.every((value, index) => Math.abs(value - a.get(name)![index]!) < 0.02)]).toEqual([
        name,
        true,
      ])
  })

  it('get the chat template that the recipe asks for', async () => {
    await putGguf('a.gguf', 'llama3', 'F16')
    const alone = 'merge_method: passthrough\nmodels: [{model: a.gguf}]\n'
    expect((await planIn(folder.path, `${alone}chat_template: auto`)).notes).toEqual([])
    await mergeIn(folder.path, `${alone}chat_template: "{{ messages }}"`)
    const { metadata } = (await readIn('out/model.gguf'))!
    expect(metadata.get('tokenizer.chat_template')).toEqual({ type: 'string', value: '{{ messages }}' })
  })

  it('become one with the layers of slices, whose count the output says', async () => {
    await putGguf('a.gguf', 'llama3', 'F32')
    const slices = [
      'merge_method: passthrough',
      'slices:',
      '  - sources: [{model: a.gguf, layer_range: [0, 2]}]',
      '  - sources: [{model: a.gguf, layer_range: [1, 2]}]',
    ].join('\n')
    await mergeIn(folder.path, slices)
    const { metadata, tensors } = await readIn('out/model.gguf')
    expect(metadata.get('llama.block_count')).toEqual({ type: 'uint32', value: 3 })
    const [stored, expected] = await Promise.all([
      valuesIn(join(folder.path, 'out/model.gguf')),
      valuesIn(join(folder.path, 'a.gguf')),
    ])
    expect(stored.get('blk.2.attn_q.weight')).toEqual(expected.get('blk.1.attn_q.weight'))
    expect(tensors.filter(({ name }) => name.endsWith('attn_q.weight'))).toHaveLength(3)
  })

  it('become a folder of safetensors in their own names where that was asked for', async () => {
    await putGguf('a.gguf', 'llama3', 'F16')
    await putGguf('b.gguf', 'llama3', 'F16')
    const { tensors } = await mergeIn(folder.path, `${linear('a.gguf', 'b.gguf')}out_format: safetensors`)
    expect(Object.keys(tensors)).toContain('blk.0.ffn_up.weight')
  })
})

const readIn = (file: string) => readGgufHeader(join(folder.path, file))

async function valuesIn(file: string): Promise<ReadonlyMap<string, Float32Array>> {
  const bytes = await readFile(file)
  return new Map(
    (await readGgufHeader(file)).tensors.map(({ name, type, shape, byteStart, byteEnd }) => {
      const values = new Float32Array(shape.reduce((count, size) => count * size, 1))
      dequantize(type as DecodedGgmlType, bytes.subarray(byteStart, byteEnd), values)
      return [name, values]
    }),
  )
}
