import { counted } from '@mk/errors'
import type { TensorStreams } from '@mk/merge'
import { type Dtype, dtypeBytes, elementCount } from '@mk/safetensors'
import { count, input, max, min } from '@mk/tensor'
import { isFinite } from '../measure/masked.ts'
import { forEachAtOnce } from '../measure/for-each-at-once.ts'
import { doubt, type Fault, fault } from './fault.ts'
import type { OutputTensor } from './read-output.ts'

const floats: readonly Dtype[] = ['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'F8_E5M2']

/** What a scan of tensors is told of, and when it is to end. */
interface ScanOptions {
  readonly signal?: AbortSignal | undefined
  readonly onRead: (byteCount: number) => void
}

/** Tells how many bytes of a tensor a scan reads: integers are left alone. */
export const scannedBytes = ({ source }: OutputTensor): number =>
  floats.includes(source.dtype) ? elementCount(source.shape) * dtypeBytes(source.dtype) : 0

/**
 * Looks for values that are infinite or NaN, and for tensors all of whose elements are equal: of matrices that is a doubt, while vectors,
 * such as biases and the weights of norms, are often so.
 */
export async function scanTensors(
  streams: TensorStreams,
  tensors: ReadonlyMap<string, OutputTensor>,
  { signal, onRead }: ScanOptions,
): Promise<Fault[]> {
  const found = new Map<string, Fault[]>()
  const scanned = [...tensors].filter(([, tensor]) => scannedBytes(tensor) > 0)
  await forEachAtOnce(scanned, { atOnce: streams.size + 1, signal }, async ([name, tensor]) => {
    const { file, source } = tensor
    const { shape } = source
    const value = input(0)
    const reductions = { finite: count(isFinite(value)), least: min(value), most: max(value) }
    const { finite, least, most } = await streams.read({ sources: [source], shape }, ({ reduce }) => reduce(reductions))
    const elements = elementCount(shape)
    const place = { file, tensor: name }
    if (finite < elements)
      found.set(name, [
        fault(
          'not-finite',
          `${name} has ${counted(elements - finite, 'value')} that ${elements - finite === 1 ? 'is' : 'are'} infinite or NaN, of ${elements}`,
          place,
        ),
      ])
    else if (least === most && elements > 1 && shape.filter((size) => size > 1).length > 1)
      found.set(name, [doubt('constant', `${name} is ${least} in every element`, place)])
    onRead(scannedBytes(tensor))
  })
  return scanned.flatMap(([name]) => found.get(name) ?? [])
}
