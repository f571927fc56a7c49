import { counted } from '@mk/errors'
import type { ModelReference } from '@mk/config'
import {
  decodedGgmlTypes,
  type GgmlType,
  type GgufHeader,
  type GgufMetadata,
  type GgufTensor,
  isDecodedGgmlType,
  readGgufHeaderOf,
} from '@mk/gguf'
import { type FileStore, folderOfPath, joinPath, nameOfPath, type TensorSource } from '@mk/source'
import type { Checkpoint } from '../checkpoint.ts'
import { CheckpointError } from '../errors.ts'
import { parsing } from '../files/disguise.ts'
import { readingIfPresent } from '../files/read-file.ts'
import { tensorsOnly } from '../open/tensors-only.ts'
import { ggufParts } from './gguf-files.ts'

/** Types whose elements lie as safetensors has them. */
const plainDtypes = {
  F32: 'F32',
  F16: 'F16',
  BF16: 'BF16',
  F64: 'F64',
  I8: 'I8',
  I16: 'I16',
  I32: 'I32',
  I64: 'I64',
} as const satisfies Partial<Record<GgmlType, TensorSource['dtype']>>

const isPlain = (type: GgmlType): type is keyof typeof plainDtypes => Object.hasOwn(plainDtypes, type)

/** Keys that say of which part of a split model a file is. */
const ofParts = /^split\./

/**
 * Opens a GGUF, all files of a split one, under its own names: without a config, since its metadata says what a config would.
 * @param path its file, or any of a split one's
 * @param headers by path, of files that are yet to be downloaded
 * @throws CheckpointError `gguf-kind`, `gguf-undecoded`, `shard-missing`, `tensor-twice`, `disguised-file`, `unreadable-model`; GgufError
 */
export async function openGguf(
  store: FileStore,
  reference: ModelReference,
  path: string,
  headers: ReadonlyMap<string, GgufHeader> = new Map(),
): Promise<Omit<Checkpoint, 'states'>> {
  const folder = folderOfPath(path)
  const files = ggufParts(nameOfPath(path))
  const tensors = new Map<string, TensorSource>()
  const owners = new Map<string, string>()
  const quantized = new Map<GgmlType, number>()
  let first: GgufHeader | undefined
  for (const name of files) {
    const file = joinPath(folder, name)
    const header =
      headers.get(file) ??
      (await readingIfPresent(file, () =>
        parsing(store, file, () => store.withFile(file, (opened) => readGgufHeaderOf(opened, file))),
      ))
    if (header === undefined)
      throw new CheckpointError({ code: 'shard-missing', folder, shard: name, listedBy: 'the name of another' })
    if (first === undefined) checkKind(file, header.metadata)
    first ??= header
    for (const tensor of header.tensors) {
      const other = owners.get(tensor.name)
      if (other !== undefined) throw new CheckpointError({ code: 'tensor-twice', tensor: tensor.name, file, other })
      owners.set(tensor.name, file)
      const source = sourceOf(tensor, file)
      tensors.set(tensor.name, source)
      if (source.kind === 'blocks') quantized.set(tensor.type, (quantized.get(tensor.type) ?? 0) + 1)
    }
  }
  return {
    ...tensorsOnly(reference, tensors, noteOf(path, quantized)),
    gguf: { metadata: withoutParts(first!.metadata), alignment: first!.alignment },
  }
}

function sourceOf({ name, type, shape, byteStart }: GgufTensor, file: string): TensorSource {
  if (isPlain(type)) return { kind: 'file', dtype: plainDtypes[type], shape, file, byteStart }
  if (isDecodedGgmlType(type)) return { kind: 'blocks', dtype: 'F32', shape, file, byteStart, type }
  throw new CheckpointError({ code: 'gguf-undecoded', file, tensor: name, type, expected: decodedGgmlTypes })
}

/** Adapters, projectors and vocabularies are GGUFs, too. */
function checkKind(file: string, metadata: GgufMetadata): void {
  const kind = metadata.get('general.type')
  if (kind?.type === 'string' && kind.value !== 'model')
    throw new CheckpointError({ code: 'gguf-kind', file, found: kind.value })
}

const withoutParts = (metadata: GgufMetadata): GgufMetadata =>
  new Map([...metadata].filter(([key]) => !ofParts.test(key)))

function noteOf(path: string, quantized: ReadonlyMap<GgmlType, number>): string[] {
  const count = [...quantized.values()].reduce((sum, tensors) => sum + tensors, 0)
  return count === 0
    ? []
    : [
        `${path}: ${counted(count, 'tensor')} ${count === 1 ? 'is' : 'are'} dequantized (${[...quantized.keys()].join(', ')}) while reading`,
      ]
}
