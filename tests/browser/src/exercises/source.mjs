import { createReaderOver, cropSource } from '@mk/source'
import { createFileMap } from '@mk/source/web'

const files = new Map([['/a.bin', new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer)]])
const store = createFileMap(files)
const stored = { kind: 'file', file: '/a.bin', byteStart: 0, dtype: 'F32', shape: [2, 3] }
const reader = createReaderOver(store.openFiles())
const into = new Uint8Array(16)
reader.read(cropSource(stored, [2, 2]), 0, 4, into)
console.log(await store.list('/'), await store.stat('/a.bin'), new Float32Array(into.buffer))
