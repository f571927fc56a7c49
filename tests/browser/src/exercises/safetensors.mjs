import { layoutFile, readHeader } from '@mk/safetensors'

const { header, fileBytes, tensors } = layoutFile([{ name: 'w', dtype: 'BF16', shape: [2, 3] }], { made: 'here' })
const bytes = new Uint8Array(fileBytes)
bytes.set(header)
const file = {
  byteCount: fileBytes,
  async read(byteStart, into) {
    const part = bytes.subarray(byteStart, byteStart + into.length)
    into.set(part)
    return part.length
  },
}
console.log(tensors, await readHeader(file, 'here'))
await readHeader({ ...file, byteCount: 7 }, 'short').catch(({ code }) => console.log(code))
