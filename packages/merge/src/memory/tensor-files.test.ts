import { layoutFile } from '@mk/safetensors'
import { expect, test } from 'vitest'
import { createTensorFiles, type StoredTensor } from './tensor-files.ts'

test('models in memory are read as files, from any byte to any other', async () => {
  const stored = (dtype: StoredTensor['dtype'], shape: readonly number[], byteCount: number, first: number) => ({
    dtype,
    shape,
    bytes: Uint8Array.from({ length: byteCount }, (_, index) => first + index),
  })
  const tensors = {
    a: stored('F32', [2], 8, 10),
    none: stored('F32', [0, 2], 0, 0),
    b: stored('BF16', [3], 6, 30),
    c: stored('U8', [5], 5, 50),
  }
  const files = createTensorFiles({ m: { tensors, files: { 'config.json': '{"x": 1}' } } })
  const path = '/m/model.safetensors'
  const layout = layoutFile(Object.entries(tensors).map(([name, { dtype, shape }]) => ({ name, dtype, shape })))
  const whole = new Uint8Array(layout.fileBytes)
  whole.set(layout.header)
  for (const { name, byteStart } of layout.tensors) whole.set(tensors[name as keyof typeof tensors].bytes, byteStart)
  expect((await files.stat(path))!.byteCount).toBe(whole.length)

  const { read } = files.openFiles()
  const first = layout.header.length - 3
  for (let from = first; from < whole.length; from++)
    for (let to = from; to <= whole.length; to++) {
      const into = new Uint8Array(to - from)
      read(path, from, into)
      expect(into).toEqual(whole.slice(from, to))
    }
  await files.withFile(path, async (file) => {
    const into = new Uint8Array(9)
    expect([file.byteCount, await file.read(whole.length - 4, into)]).toEqual([whole.length, 4])
    expect([...into]).toEqual([...whole.slice(-4), 0, 0, 0, 0, 0])
    expect(await file.read(whole.length + 1, into)).toBe(0)
  })
  const config = new Uint8Array(8)
  read('/m/config.json', 0, config)
  expect(new TextDecoder().decode(config)).toBe('{"x": 1}')
})
