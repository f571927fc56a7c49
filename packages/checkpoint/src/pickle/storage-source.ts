import { dtypeBytes } from '@mk/safetensors'
import { CheckpointError } from '../errors.ts'
import type { TensorSource } from '@mk/source'
import type { PickleTensor } from './machine/pickle-value.ts'
import { dtypesByTorchType } from './torch-scope.ts'

/** Where the bytes of a storage are in the file. */
export interface StorageBytes {
  readonly byteStart: number
  readonly byteEnd: number
}

/** Tells the bytes of an element of a storage type; an untyped storage counts bytes. */
export function storageElementBytes(type: string): number | undefined {
  if (type === 'torch.ComplexFloatStorage') return 8
  if (type === 'torch.ComplexDoubleStorage') return 16
  const dtype = dtypesByTorchType.get(type)
  return dtype === undefined ? undefined : dtypeBytes(dtype)
}

/**
 * Makes the source of a tensor: a range of the file where they are contiguous, a view into the storage otherwise.
 * Everything that the pickle says is checked against the bytes that are there.
 */
export function sourceOfTensor(
  file: string,
  name: string,
  tensor: PickleTensor,
  storages: ReadonlyMap<string, StorageBytes>,
): TensorSource {
  const { storage, shape, strides, elementOffset } = tensor
  const dtype = dtypesByTorchType.get(tensor.type)
  const storedBytes = storageElementBytes(storage.type)
  if (dtype === undefined || storedBytes === undefined)
    throw new CheckpointError({ code: 'pickle-dtype', file, tensor: name, found: tensor.type })
  const bytes = storages.get(storage.key)
  if (bytes === undefined)
    throw new CheckpointError({ code: 'pickle-storage-missing', file, tensor: name, key: storage.key })
  const needed = (storage.viewOffset + storage.elementCount) * storedBytes
  const available = bytes.byteEnd - bytes.byteStart
  if (needed > available)
    throw new CheckpointError({ code: 'pickle-storage-outside', file, key: storage.key, bytes: needed, available })

  const byteStart = bytes.byteStart + storage.viewOffset * storedBytes
  const elementCount = Math.floor((storage.elementCount * storedBytes) / dtypeBytes(dtype))
  const elements = shape.reduce((count, size) => count * size, 1)
  if (!Number.isSafeInteger(elements * dtypeBytes(dtype)))
    throw new CheckpointError({ code: 'pickle-tensor-size', file, tensor: name, shape })
  const last = elements === 0 ? -1 : shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, elementOffset)
  const elementEnd = Math.max(last + 1, elementOffset)
  if (elementEnd > elementCount)
    throw new CheckpointError({ code: 'pickle-tensor-outside', file, tensor: name, elementEnd, elementCount })

  if (elements === 0 || isContiguous(shape, strides)) {
    return { kind: 'file', dtype, shape, file, byteStart: byteStart + elementOffset * dtypeBytes(dtype) }
  }
  return { kind: 'strided', dtype, shape, file, byteStart, elementOffset, strides }
}

/** Row-major without gaps; the stride along an axis of one element doesn't matter. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false
    expected *= shape[axis]!
  }
  return true
}
