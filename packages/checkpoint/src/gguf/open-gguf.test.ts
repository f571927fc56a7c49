import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseModelReference } from '@mk/config'
import {
  createBlockEncoder,
  type EncodedGgmlType,
  type GgmlType,
  type GgufMetadata,
  ggmlBytes,
  isEncodedGgmlType,
  layoutGguf,
} from '@mk/gguf'
import { createSourceReader } from '@mk/source/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { useHub } from '../hub/__fixtures__/hub-harness.ts'
import { id } from '../hub/__fixtures__/hub-model.ts'
import { openCheckpoint } from '../node/open-checkpoint.ts'
import type { OpenOptions } from '../open/open-checkpoint.ts'
import { ggufModels, ggufParts } from './gguf-files.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'open-gguf-'))
})
afterEach(() => rm(root, { recursive: true }))

const architecture: GgufMetadata = new Map([['general.architecture', { type: 'string', value: 'llama' }]])
const values = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i))

/** A GGUF whose tensors all count through the same values. */
function gguf(
  tensors: Readonly<Record<string, readonly [GgmlType, ...number[]]>>,
  metadata = architecture,
): Uint8Array {
  const layout = layoutGguf(
    metadata,
    Object.entries(tensors).map(([name, [type, ...shape]]) => ({ name, type, shape })),
  )
  const bytes = new Uint8Array(layout.fileBytes)
  bytes.set(layout.header)
  for (const { type, shape, byteStart } of layout.tensors) {
    if (!isEncodedGgmlType(type)) continue
    const elements = values(shape.reduce((product, size) => product * size, 1))
    createBlockEncoder(type as EncodedGgmlType)(
      elements,
      bytes.subarray(byteStart, byteStart + ggmlBytes(type, shape)!),
    )
  }
  return bytes
}

const put = async (name: string, bytes: Uint8Array | string) => {
  await mkdir(join(root, name, '..'), { recursive: true })
  await writeFile(join(root, name), bytes)
}
const open = (reference: string, options: Partial<OpenOptions> = {}) =>
  openCheckpoint(parseModelReference(reference), {
    roots: [root],
    hub: { environment: { HF_HOME: root, HF_HUB_OFFLINE: '1' } },
    ...options,
  })
const code = (value: string) => expect.objectContaining({ code: value })

describe('openCheckpoint on a GGUF', () => {
  it('gives its tensors under their names, plain ones as they lie and blocks in float32, and its metadata', async () => {
    await put('m.gguf', gguf({ a: ['F16', 2, 32], b: ['Q8_0', 2, 64], c: ['F32', 3] }))
    const checkpoint = await open('m.gguf')
    expect(checkpoint.config).toBeUndefined()
    expect(checkpoint.gguf).toEqual({ metadata: architecture, alignment: 32 })
    expect(checkpoint.notes).toEqual([`${join(root, 'm.gguf')}: 1 tensor is dequantized (Q8_0) while reading`])
    await put('n.gguf', gguf({ a: ['Q8_0', 1, 32], b: ['Q4_0', 1, 32], c: ['Q8_0', 1, 32], d: ['F32', 2] }))
    expect((await open('n.gguf')).notes).toEqual([
      `${join(root, 'n.gguf')}: 3 tensors are dequantized (Q8_0, Q4_0) while reading`,
    ])
    const kinds = [...checkpoint.tensors].map(([name, { kind, dtype, shape }]) => [name, kind, dtype, shape])
    expect(kinds).toEqual([
      ['a', 'file', 'F16', [2, 32]],
      ['b', 'blocks', 'F32', [2, 64]],
      ['c', 'file', 'F32', [3]],
    ])
    expect([...checkpoint.states.keys()]).toEqual([join(root, 'm.gguf')])
    const reader = createSourceReader()
    const bytes = new Uint8Array(128 * 4)
    reader.read(checkpoint.tensors.get('b')!, 0, 128, bytes)
    reader.close()
    const expected = values(128)
    new Float32Array(bytes.buffer).forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(0.005))
  })

  it('takes all files of a split one, whichever is named, and forgets that it was split', async () => {
    const part = new Map([...architecture, ['split.no', { type: 'uint16', value: 0 }] as const])
    await put('x/m-00001-of-00002.gguf', gguf({ a: ['F32', 2] }, part))
    await put('x/m-00002-of-00002.gguf', gguf({ b: ['F32', 2] }, new Map([['split.no', { type: 'uint16', value: 1 }]])))
    for (const reference of ['x', 'x/m-00001-of-00002.gguf', 'x/m-00002-of-00002.gguf']) {
      const { tensors, gguf: facts } = await open(reference)
      expect([...tensors.keys()]).toEqual(['a', 'b'])
      expect(facts!.metadata).toEqual(architecture)
    }
    await put('x/m-00002-of-00002.gguf', gguf({ a: ['F32', 2] }))
    await expect(open('x')).rejects.toThrow(code('tensor-twice'))
    await rm(join(root, 'x/m-00002-of-00002.gguf'))
    await expect(open('x')).rejects.toThrow(/x lacks m-00002-of-00002\.gguf/)
  })

  it('opens a folder that has one, with whatever stands beside it', async () => {
    await put('x/m-q8_0.gguf', gguf({ a: ['F32', 2] }))
    await put('x/mmproj-m-f16.gguf', 'GGUF')
    await put('x/config.json', '{"model_type": "llama"}')
    await put('x/tokenizer.json', '{}')
    expect([...(await open('x')).tensors.keys()]).toEqual(['a'])
    await put('x/m-q4_0.gguf', gguf({ a: ['F32', 2] }))
    await expect(open('x')).rejects.toThrow(code('gguf-several'))
    await expect(open('x')).rejects.toThrow(`${join(root, 'x')}/m-q8_0.gguf`)
  })

  it('refuses types that it has no decoder for, by name', async () => {
    await put('m.gguf', gguf({ a: ['IQ2_XS', 1, 256] }))
    await expect(open('m.gguf')).rejects.toThrow(code('gguf-undecoded'))
    await expect(open('m.gguf')).rejects.toThrow(/'a' is quantized as IQ2_XS.*expected F32, F16/)
  })

  it('refuses adapters and what else is no model', async () => {
    await put('m.gguf', gguf({ a: ['F32', 2] }, new Map([['general.type', { type: 'string', value: 'adapter' }]])))
    await expect(open('m.gguf')).rejects.toThrow(code('gguf-kind'))
    await put('m.gguf', gguf({ a: ['F32', 2] }, new Map([['general.type', { type: 'string', value: 'model' }]])))
    expect((await open('m.gguf')).tensors.size).toBe(1)
  })

  it('tells what is no GGUF', async () => {
    await put('m.gguf', 'version https://git-lfs.github.com/spec/v1\n')
    await expect(open('m.gguf')).rejects.toThrow(/m\.gguf is a Git LFS pointer/)
    await put('m.gguf', gguf({ a: ['F32', 2] }).subarray(0, 40))
    await expect(open('m.gguf')).rejects.toThrow(code('gguf-count'))
    await expect(open('n.gguf')).rejects.toThrow(code('folder-not-found'))
    await expect(open('./n/m/x.gguf')).rejects.toThrow(code('folder-not-found'))
    await expect(open('n/m/x.gguf')).rejects.toThrow(code('model-not-found'))
  })
})

describe('names of GGUF files', () => {
  it('make models of parts, and leave projectors aside', () => {
    expect(ggufParts('m-00002-of-00003.gguf')).toHaveLength(3)
    expect(ggufParts('m-00000-of-00000.gguf')).toEqual(['m-00000-of-00000.gguf'])
    const names = [
      'a.gguf',
      'b-00001-of-00002.gguf',
      'b-00002-of-00002.gguf',
      'mmproj-a.gguf',
      'a.mmproj-f16.gguf',
      'x.txt',
    ]
    expect(ggufModels(names)).toEqual(['a.gguf', 'b-00001-of-00002.gguf'])
  })
})

describe('a GGUF of the hub', () => {
  const hub = useHub()
  const options = (): Partial<OpenOptions> => ({
    hub: { environment: { HF_HOME: hub.cache, HF_ENDPOINT: hub.server.url }, retryDelayMs: 1 },
  })
  const file = gguf({ a: ['Q8_0', 2, 64], b: ['F32', 20_000] })

  it('is planned from its header and then brought', async () => {
    await hub.serve({ files: { 'm.gguf': file, 'README.md': '# about', 'mmproj-m.gguf': 'GGUF' } })
    for (const reference of [id, `${id}/m.gguf`, `${id}/m.gguf@main`]) {
      const checkpoint = await open(reference, options())
      expect(checkpoint.hub).toMatchObject({ id })
      expect([...checkpoint.tensors.keys()]).toEqual(['a', 'b'])
      expect(checkpoint.downloadBytes).toBe(file.length)
    }
    const checkpoint = await open(id, options())
    await checkpoint.download!()
    const reader = createSourceReader()
    const bytes = new Uint8Array(8)
    reader.read(checkpoint.tensors.get('b')!, 0, 2, bytes)
    reader.close()
    expect(new Float32Array(bytes.buffer)).toEqual(values(2))
    const requests = hub.server.requests.length
    expect((await open(`${id}/m.gguf`, options())).downloadBytes ?? 0).toBe(0)
    expect(hub.server.requests.length).toBe(requests)
  })

  it('is named where there are several, also in a folder', async () => {
    const files = { 'm-q8_0.gguf': file, 'm-f32.gguf': file, 'BF16/m-00001-of-00001.gguf': file }
    await hub.serve({ files })
    await expect(open(id, options())).rejects.toThrow(code('gguf-several'))
    await expect(open(id, options())).rejects.toThrow(`${id}/m-f32.gguf`)
    expect((await open(`${id}/m-f32.gguf`, options())).tensors.size).toBe(2)
    expect((await open(`${id}/BF16/m-00001-of-00001.gguf`, options())).tensors.size).toBe(2)
    await expect(open(`${id}/m-q2.gguf`, options())).rejects.toThrow(code('model-not-found'))
  })
})

it.each(['F32', 'F16', 'BF16', 'F64', 'I8', 'I16', 'I32', 'I64'] as const)(
  '%s lies in a GGUF as in any other file',
  async (type) => {
    await writeFile(join(root, 'x.gguf'), gguf({ w: [type, 2, 4] }))
    const { tensors } = await openCheckpoint(parseModelReference('x.gguf'), { roots: [root] })
    expect(tensors.get('w')).toMatchObject({ kind: 'file', dtype: type, shape: [2, 4], file: join(root, 'x.gguf') })
  },
)
