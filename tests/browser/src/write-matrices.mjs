import { closeSync, openSync, writeSync } from 'node:fs'
import { layoutFile } from '@mk/safetensors'

/** Writes a model of matrices in bf16, of values of either sign between 2^-8 and 2. */
export function writeMatrices(path, { seed, count, shape }) {
  const types = Array.from({ length: count }, (_, index) => ({ name: `w.${index}`, dtype: 'BF16', shape }))
  const { header, tensors } = layoutFile(types, {})
  const file = openSync(path, 'w')
  writeSync(file, header)
  const elements = new Uint16Array(shape[0] * shape[1])
  let state = seed
  for (const _ of tensors) {
    for (let index = 0; index < elements.length; index++) {
      state = (Math.imul(state, 1664525) + 1013904223) | 0
      elements[index] = ((state >>> 16) & 0x83ff) | 0x3b80
    }
    writeSync(file, new Uint8Array(elements.buffer))
  }
  closeSync(file)
}
