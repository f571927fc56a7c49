import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { elementCount } from '@mk/safetensors'
import { createSourceReader } from '@mk/source/node'
import { afterAll, describe, expect, it } from 'vitest'
import { openCheckpoint } from '../node/open-checkpoint.ts'
import { quantizedFixtures, writeQuantizedModel } from './__fixtures__/quantized-model.ts'

const root = mkdtempSync(join(tmpdir(), 'mk-quantized-'))
afterAll(() => rmSync(root, { recursive: true }))

/** ModelOpt drops the sign of zeros; the value is the same. */
const isZero = (bits: number): boolean => (bits & 0x7fffffff) === 0

describe('weights as their own libraries quantize them', () => {
  it.each(quantizedFixtures())('reads %s as its library does, bit for bit', async (name) => {
    const folder = join(root, name)
    const { expected, config } = await writeQuantizedModel(name, folder)
    const checkpoint = await openCheckpoint({ path: folder, adapters: [] }, { roots: [root] })
    expect([...checkpoint.tensors.keys()].toSorted()).toEqual([...expected.keys()].toSorted())
    expect(checkpoint.config).not.toHaveProperty('quantization_config')
    expect(checkpoint.config).not.toHaveProperty('quantization')
    expect(config).toHaveProperty(name === 'mlx' ? 'quantization' : 'quantization_config')
    const reader = createSourceReader()
    for (const [tensor, { shape, values }] of expected) {
      const source = checkpoint.tensors.get(tensor)!
      expect(source.dtype).toBe('F32')
      expect(source.shape).toEqual(shape)
      const count = elementCount(shape)
      const found = new Uint8Array(count * 4)
      // In one piece, then in pieces that begin and end within bytes, words, rows and groups.
      for (const step of [count, 37]) {
        for (let start = 0; start < count; start += step) {
          const part = Math.min(step, count - start)
          reader.read(source, start, part, found.subarray(start * 4, (start + part) * 4))
        }
        const bits = new Uint32Array(found.buffer)
        const at = bits.findIndex(
          (each, index) => each !== values[index] && !(name === 'modelopt-nvfp4' && isZero(each)),
        )
        expect(at < 0 ? 'equal' : `${tensor} differs at ${at}: ${new Float32Array(found.buffer)[at]}`).toBe('equal')
        found.fill(0xff)
      }
    }
    reader.close()
  })
})
