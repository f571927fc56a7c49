import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readSafetensorsHeader, readTensor } from './read.ts'
import { createSafetensorsWriter } from './write.ts'

const golden = new URL('../../../../goldens/models/llama-base/model.safetensors', import.meta.url).pathname
const code = (value: string) => expect.objectContaining({ code: value })
const pair = [
  { name: 'a', dtype: 'U8', shape: [4] },
  { name: 'b', dtype: 'F32', shape: [2] },
] as const

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'safetensors-'))
  path = join(folder, 'out.safetensors')
})
afterEach(() => rm(folder, { recursive: true }))

describe('createSafetensorsWriter', () => {
  it('writes parts in any order; readTensor gives them back', async () => {
    const writer = await createSafetensorsWriter(path, pair, { format: 'pt' })
    await Promise.all([
      writer.write('b', 0, new Uint8Array(new Float32Array([1, 2]).buffer)),
      writer.write('a', 2, Uint8Array.of(3, 4)),
    ])
    await writer.write('a', 0, Uint8Array.of(1, 2))
    await writer.finish()
    expect(await readdir(folder)).toEqual(['out.safetensors'])
    expect(await readTensor(path, 'a')).toEqual(Uint8Array.of(1, 2, 3, 4))
    expect(new Float32Array((await readTensor(path, 'b')).buffer)).toEqual(Float32Array.of(1, 2))
    const header = await readSafetensorsHeader(path)
    expect(header).toMatchObject({ metadata: { format: 'pt' }, fileBytes: writer.fileBytes })
  })

  it('leaves an existing file alone until it is finished', async () => {
    await writeFile(path, 'old')
    const writer = await createSafetensorsWriter(path, pair)
    await writer.write('a', 0, new Uint8Array(4))
    expect(await readFile(path, 'utf8')).toBe('old')
    await writer.write('b', 0, new Uint8Array(8))
    await writer.finish()
    expect((await readSafetensorsHeader(path)).tensors).toHaveLength(2)
  })

  it('discards the file where bytes are missing', async () => {
    const writer = await createSafetensorsWriter(path, pair)
    await writer.write('a', 0, new Uint8Array(3))
    await expect(writer.finish()).rejects.toThrow(code('incomplete'))
    expect(await readdir(folder)).toEqual([])
  })

  it('discards the file on close', async () => {
    const writer = await createSafetensorsWriter(path, pair)
    await writer.close()
    await writer.close()
    expect(await readdir(folder)).toEqual([])
  })

  it('has nothing to discard once it is finished, or where somebody else has taken the file away', async () => {
    const finished = await createSafetensorsWriter(path, [])
    await finished.finish()
    await finished.close()
    expect(await readdir(folder)).toEqual(['out.safetensors'])
    const lost = await createSafetensorsWriter(path, pair)
    await rm(`${path}.partial`)
    await lost.close()
    expect(await readdir(folder)).toEqual(['out.safetensors'])
  })

  it('makes room for all tensors at once, under another name', async () => {
    const writer = await createSafetensorsWriter(path, pair)
    expect((await stat(`${path}.partial`)).size).toBe(writer.fileBytes)
    await writer.close()
  })

  it('writes nothing outside a tensor', async () => {
    const writer = await createSafetensorsWriter(path, pair)
    await expect(writer.write('a', 2, new Uint8Array(3))).rejects.toThrow(code('write-out-of-range'))
    for (const offset of [-1, 0.5, 4])
      await expect(writer.write('a', offset, new Uint8Array(1))).rejects.toThrow(code('write-out-of-range'))
    await writer.write('a', 4, new Uint8Array(0))
    await expect(writer.write('c', 0, new Uint8Array(1))).rejects.toThrow(code('unknown-tensor'))
    await writer.close()
  })
})

describe('readSafetensorsHeader', () => {
  it('reads a file that PyTorch wrote', async () => {
    const { tensors, metadata, headerBytes, fileBytes } = await readSafetensorsHeader(golden)
    expect(metadata).toEqual({ format: 'pt' })
    expect(tensors[0]!.byteStart).toBe(headerBytes)
    expect(tensors.at(-1)!.byteEnd).toBe(fileBytes)
    expect(tensors.map(({ name }) => name)).toContain('model.embed_tokens.weight')
  })

  it('names the file in what it rejects', async () => {
    await writeFile(path, 'PK')
    await expect(readSafetensorsHeader(path)).rejects.toThrow(`${path}: has 2 bytes`)
    await expect(readSafetensorsHeader(join(folder, 'none'))).rejects.toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    )
  })
})

describe('readTensor', () => {
  it('rejects a name that is not there', async () => {
    await expect(readTensor(golden, 'none')).rejects.toThrow(code('unknown-tensor'))
  })

  it('notices that the file has shrunk since its header was read', async () => {
    await writeFile(path, await readFile(golden))
    const { tensors, fileBytes } = await readSafetensorsHeader(path)
    await truncate(path, fileBytes - 1)
    await expect(readTensor(path, tensors.at(-1)!)).rejects.toThrow(code('file-shrank'))
  })
})
