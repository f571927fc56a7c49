import { expectArgument, isRecord } from '@mk/errors'
import { type Dtype, isDtype, layoutFile, type RangeFile } from '@mk/safetensors'
import type { FileStore, OpenFiles } from '@mk/source'
import { createFileMap } from '@mk/source/web'

/** The elements of a tensor in memory: stored bytes with dtype and shape, or numbers in one dimension. */
export type MemoryTensor = StoredTensor | Float32Array | Float64Array

/** A tensor as safetensors stores it: little-endian, row-major. */
export interface StoredTensor {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** A model in memory. */
export interface MemoryModel {
  readonly tensors: ReadonlyMap<string, MemoryTensor> | Readonly<Record<string, MemoryTensor>>
  /** config.json and other small files, by name; without config.json it is a set of tensors, merged name by name. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
}

/** Consecutive bytes of a file that are somewhere in memory. */
interface Piece {
  readonly byteStart: number
  readonly bytes: Uint8Array
}

const weightsName = 'model.safetensors'

/** Makes a place of files out of models in memory, each a folder of its name; their bytes stay where they are. */
export function createTensorFiles(models: Readonly<Record<string, MemoryModel>>): FileStore {
  const small = new Map<string, Uint8Array>()
  const weights = new Map<string, { readonly fileBytes: number; readonly pieces: readonly Piece[] }>()
  for (const [name, { tensors, files = {} }] of Object.entries(models)) {
    for (const [file, content] of Object.entries(files))
      small.set(`/${name}/${file}`, typeof content === 'string' ? new TextEncoder().encode(content) : content)
    const path = `/${name}/${weightsName}`
    const file = layOut(tensors instanceof Map ? tensors : new Map(Object.entries(tensors)))
    weights.set(path, file)
    // For lists of the folder.
    small.set(path, new Uint8Array(0))
  }
  const files = createFileMap(small)
  const read = (path: string, byteStart: number, into: Uint8Array) => {
    const { pieces, fileBytes } = weights.get(path)!
    const byteEnd = Math.min(byteStart + into.length, fileBytes)
    for (const piece of pieces.slice(firstWithin(pieces, byteStart))) {
      if (piece.byteStart >= byteEnd) break
      const from = Math.max(byteStart, piece.byteStart)
      const to = Math.min(byteEnd, piece.byteStart + piece.bytes.length)
      into.set(piece.bytes.subarray(from - piece.byteStart, to - piece.byteStart), from - byteStart)
    }
    return Math.max(0, byteEnd - byteStart)
  }
  return {
    ...files,
    async stat(path) {
      const facts = await files.stat(path)
      const file = weights.get(path)
      return file === undefined ? facts : { ...facts, byteCount: file.fileBytes, state: String(file.fileBytes) }
    },
    withFile(path, use) {
      const file = weights.get(path)
      if (file === undefined) return files.withFile(path, use)
      const opened: RangeFile = {
        byteCount: file.fileBytes,
        read: async (byteStart, into) => read(path, byteStart, into),
      }
      return use(opened)
    },
    openFiles(): OpenFiles {
      const others = files.openFiles()
      return {
        read(path, byteStart, into) {
          if (weights.has(path)) read(path, byteStart, into)
          else others.read(path, byteStart, into)
        },
        close: () => others.close(),
      }
    },
  }
}

function layOut(tensors: ReadonlyMap<string, MemoryTensor>): {
  readonly fileBytes: number
  readonly pieces: readonly Piece[]
} {
  const stored = [...tensors].map(([name, tensor]) => ({ name, ...asStored(checked(name, tensor)) }))
  const { header, tensors: placed, fileBytes } = layoutFile(stored)
  for (const [index, { name, byteStart, byteEnd }] of placed.entries()) {
    const got = stored[index]!.bytes.length
    expectArgument(got === byteEnd - byteStart, 'mergeTensors', {
      argument: `the number of bytes of tensor '${name}'`,
      expected: `${byteEnd - byteStart} by its dtype and shape`,
      found: got,
    })
  }
  const pieces = placed.map(({ byteStart }, index) => ({ byteStart, bytes: stored[index]!.bytes }))
  return { fileBytes, pieces: [{ byteStart: 0, bytes: header }, ...pieces].filter(({ bytes }) => bytes.length > 0) }
}

function checked(name: string, tensor: MemoryTensor): MemoryTensor {
  const isStored = (value: unknown) =>
    isRecord(value) &&
    isDtype(String(value['dtype'])) &&
    Array.isArray(value['shape']) &&
    value['bytes'] instanceof Uint8Array
  expectArgument(tensor instanceof Float32Array || tensor instanceof Float64Array || isStored(tensor), 'mergeTensors', {
    argument: `tensor '${name}'`,
    expected: `{ dtype, shape, bytes } with a dtype of safetensors, a Float32Array or a Float64Array`,
    found: tensor,
  })
  return tensor
}

function asStored(tensor: MemoryTensor): StoredTensor {
  if ('dtype' in tensor) return tensor
  const bytes = new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength)
  return { dtype: tensor instanceof Float64Array ? 'F64' : 'F32', shape: [tensor.length], bytes }
}

/** Finds the piece that a byte is in, among pieces without gaps. */
function firstWithin(pieces: readonly Piece[], byteStart: number): number {
  let [low, high] = [0, pieces.length]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (pieces[middle]!.byteStart <= byteStart) low = middle
    else high = middle
  }
  return low
}
