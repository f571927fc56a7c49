import type { TensorSource } from '@mk/source'
import { expect, test } from 'vitest'
import { dequantize } from './dequantize.ts'

const stored = (dtype: TensorSource['dtype'], ...shape: readonly number[]): TensorSource => ({
  kind: 'file',
  dtype,
  shape,
  file: 'f',
  byteStart: 0,
})
/** What is noted of weights of these names, each with a scale. */
async function notesOf(
  names: readonly string[],
  dtype: 'I8' | 'F8_E4M3',
  method: string,
  more: readonly string[] = [],
) {
  const tensors = new Map<string, TensorSource>(
    names.flatMap((name) => [
      [`${name}.weight`, stored(dtype, 4, 6)] as const,
      [`${name}.weight_scale`, stored('F32', 4, 1)] as const,
    ]),
  )
  for (const name of more) tensors.set(name, stored('F32', 1))
  const config = { quantization_config: { quant_method: method, config_groups: { a: { weights: {} } } } }
  return (await dequantize('dir', tensors, config, () => Promise.reject(new Error('nothing is read')))).notes
}

test('weights of integers that are dequantized are counted, with their method', async () => {
  const one = 'dir: 1 tensor is dequantized (compressed-tensors) while reading'
  const two = 'dir: 2 tensors are dequantized (compressed-tensors) while reading'
  expect(await notesOf(['a'], 'I8', 'compressed-tensors')).toEqual([one])
  expect(await notesOf(['a', 'b'], 'I8', 'compressed-tensors')).toEqual([two])
})

test('weights of float8 that are multiplied are counted', async () => {
  const one = 'dir: 1 float8 tensor is multiplied by its scales while reading'
  const two = 'dir: 2 float8 tensors are multiplied by their scales while reading'
  expect(await notesOf(['a'], 'F8_E4M3', 'fp8')).toEqual([one])
  expect(await notesOf(['a', 'b'], 'F8_E4M3', 'fp8')).toEqual([two])
  const left = "dir: 1 scales of activations are left out, such as 'a.input_scale'"
  expect(await notesOf(['a'], 'F8_E4M3', 'fp8', ['a.input_scale'])).toEqual([one, left])
})

test('a config that speaks of quantization where there is none is noted', async () => {
  const none = 'dir: config.json speaks of quantization (fp8), but no tensor is quantized'
  expect(await notesOf([], 'I8', 'fp8')).toEqual([none])
  expect(await notesOf([], 'I8', 'fp8', ['a.input_scale'])).toEqual([none])
})
