import { dtypeBytes, dtypes } from '@mk/safetensors'
import { decode } from '@mk/tensor'
import { expect, it } from 'vitest'
import { widen } from './widen.ts'

it.each(dtypes)('widens %s as decode does', (dtype) => {
  const patterns = Uint16Array.from({ length: 1 << 16 }, (_, i) => i)
  const bytes = new Uint8Array(patterns.buffer)
  const [fast, slow] = [
    new Float32Array(bytes.length / dtypeBytes(dtype)),
    new Float32Array(bytes.length / dtypeBytes(dtype)),
  ]
  widen(dtype, bytes, fast)
  decode(dtype, bytes, 0, slow)
  expect(fast.findIndex((value, i) => !Object.is(value, slow[i]))).toBe(-1)
})
