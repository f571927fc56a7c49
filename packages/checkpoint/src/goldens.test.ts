import { dtypeBytes, elementCount } from '@mk/safetensors'
import { afterAll, expect, test } from 'vitest'
import { applyAdapter } from './adapter/apply-adapter.ts'
import { openAdapter } from './adapter/open-adapter.ts'
import { openPickle } from './pickle/open-pickle.ts'
import { openRaw } from './raw/open-raw.ts'
import { createSourceReader, nodeFiles } from '@mk/source/node'
import type { TensorSource } from '@mk/source'

const goldens = new URL('../../../goldens/', import.meta.url).pathname
const reader = createSourceReader()
afterAll(() => reader.close())

function read(source: TensorSource): Float32Array {
  expect(source.dtype).toBe('F32')
  const bytes = new Uint8Array(elementCount(source.shape) * dtypeBytes(source.dtype))
  reader.read(source, 0, elementCount(source.shape), bytes)
  return new Float32Array(bytes.buffer)
}

const openFile = async (path: string) => (await openRaw(nodeFiles, { path, adapters: [] }, `${goldens}${path}`)).tensors

/** The largest difference of 0.6 · left + 0.4 · right from what mergekit wrote, as a share of max(|expected|, RMS). */
async function difference(
  left: ReadonlyMap<string, TensorSource>,
  right: ReadonlyMap<string, TensorSource>,
  expected: ReadonlyMap<string, TensorSource>,
) {
  expect([...left.keys()].sort()).toEqual([...expected.keys()].sort())
  let largest = 0
  for (const [name, source] of expected) {
    const [a, b, wanted] = [read(left.get(name)!), read(right.get(name)!), read(source)]
    const rms = Math.sqrt(wanted.reduce((sum, value) => sum + value * value, 0) / wanted.length)
    wanted.forEach((value, index) => {
      largest = Math.max(
        largest,
        Math.abs(0.6 * a[index]! + 0.4 * b[index]! - value) / Math.max(Math.abs(value), rms, 1e-30),
      )
    })
  }
  return largest
}

test('an adapter over its model gives the elements of the golden linear-lora', async () => {
  const { tensors } = applyAdapter(
    await openFile('models/llama-base/model.safetensors'),
    await openAdapter(nodeFiles, `${goldens}models/lora-qvd`),
  )
  const other = await openFile('models/llama-ft1/model.safetensors')
  expect(await difference(tensors, other, await openFile('cases/linear-lora/expected/model.safetensors'))).toBeLessThan(
    2e-5,
  )
})

test('pickles give the elements of the golden linear-pickle', async () => {
  const [base, other] = await Promise.all(
    ['base', 'ft1'].map((name) => openPickle(nodeFiles, [`${goldens}models/pickle-${name}/pytorch_model.bin`])),
  )
  expect(
    await difference(base!, other!, await openFile('cases/linear-pickle/expected/model.safetensors')),
  ).toBeLessThan(2e-5)
})
