import { createBlockEncoder, dequantize, layoutGguf, readGgufHeaderOf } from '@mk/gguf'

const metadata = new Map([['general.architecture', { type: 'string', value: 'llama' }]])
const { header, tensors, fileBytes } = layoutGguf(metadata, [{ name: 'output.weight', type: 'Q8_0', shape: [2, 64] }])
const bytes = new Uint8Array(fileBytes)
bytes.set(header)
const values = Float32Array.from({ length: 128 }, (_, index) => Math.sin(index))
createBlockEncoder('Q8_0')(values, bytes.subarray(tensors[0].byteStart, tensors[0].byteEnd))
const file = {
  byteCount: fileBytes,
  async read(byteStart, into) {
    into.set(bytes.subarray(byteStart, byteStart + into.length))
    return into.length
  },
}
const read = await readGgufHeaderOf(file, 'here')
const decoded = new Float32Array(128)
dequantize('Q8_0', bytes.subarray(read.tensors[0].byteStart, read.tensors[0].byteEnd), decoded)
console.log([...read.metadata.keys()], read.tensors, decoded)
