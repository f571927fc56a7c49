import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openCheckpoint } from '@mk/checkpoint'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import { createSourceReader } from '@mk/source/node'
import { decode } from '@mk/tensor'
import { expect, it } from 'vitest'
import { madeCases, readCase, requestOf } from '../../../gguf/src/convert/__fixtures__/cases.ts'
import { ggufFile } from '../../../gguf/src/convert/__fixtures__/plain-file.ts'
import { tinyWeights } from '../../../gguf/src/convert/__fixtures__/tiny-weights.ts'
import { useFolder } from '../__fixtures__/models.ts'
import { restoreGgufs } from './restore-ggufs.ts'

const folder = useFolder()

it.each([
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['Q8_0', undefined],
] as const)('says of a GGUF of %s what its matrices have: %s', async (type, dtype) => {
  await writeFile(join(folder.path, 'm.gguf'), ggufFile('llama3', type))
  const opened = await openCheckpoint({ path: join(folder.path, 'm.gguf'), adapters: [] }, { roots: [folder.path] })
  const { gguf: _, ...other } = opened
  const [restored] = restoreGgufs([opened, { ...other, config: requestOf('llama3', 'F32').config }])
  const { torch_dtype: own } = restored!.config as { readonly torch_dtype?: string }
  expect(own).toBe(dtype ?? (requestOf('llama3', 'F32').config as { readonly torch_dtype?: string }).torch_dtype)
})

it.each(madeCases)('gives a GGUF of %s the tensors that it was made from', async (name) => {
  await writeFile(join(folder.path, 'm.gguf'), ggufFile(name, 'F32'))
  const opened = await openCheckpoint({ path: join(folder.path, 'm.gguf'), adapters: [] }, { roots: [folder.path] })
  const { config } = requestOf(name, 'F32')
  const { weights, norm } = readCase(name)
  const { gguf: _, ...other } = opened
  const [restored] = restoreGgufs([opened, { ...other, config }])
  expect([...restored!.tensors.keys()].toSorted()).toEqual(weights!.map((tensor) => tensor.name).toSorted())
  const reader = createSourceReader()
  for (const { name: tensor, shape } of weights!) {
    const source = restored!.tensors.get(tensor)!
    expect(source.shape).toEqual(shape)
    const count = elementCount(shape)
    const bytes = new Uint8Array(count * dtypeBytes(source.dtype))
    reader.read(source, 0, count, bytes)
    const values = new Float32Array(count)
    decode(source.dtype, bytes, 0, values)
    // 1 that was added and taken off again costs the last bits.
    const tolerance = name.startsWith('gemma') && tensor.includes('norm') ? 1e-7 : 0
    const expected = tinyWeights(tensor, shape, norm!)
    const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0)
    expect([tensor, worst <= tolerance]).toEqual([tensor, true])
  }
  reader.close()
})
