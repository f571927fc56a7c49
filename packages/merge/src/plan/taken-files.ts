import { isSameShape } from '@mk/safetensors'
import type { FileSource } from '@mk/source'
import type { MergePlan, Operation, PlannedTensorInput } from './merge-plan.ts'
import type { UnplacedTensor } from './plan-files.ts'

/** A tensor of an input that lies in a file as the output has it. */
type Taken = PlannedTensorInput & { readonly source: FileSource }

/** Finds the tensor of an input that one of the output is, bit by bit; undefined where anything has to be computed for it. */
function findTaken(
  { operation, dtype, shape }: Pick<UnplacedTensor, 'operation' | 'dtype' | 'shape'>,
  method: string,
): Taken | undefined {
  const taken = copiedInput(operation, method)
  if (taken === undefined) return undefined
  const { source } = taken
  return source.kind === 'file' && source.dtype === dtype && isSameShape(source.shape, shape)
    ? { ...taken, source }
    : undefined
}

function copiedInput(operation: Operation, method: string): PlannedTensorInput | undefined {
  if (operation.kind === 'copy') return operation.input
  if (operation.kind !== 'merge' || (operation.method ?? method) !== 'passthrough') return undefined
  const { base, models, parameters } = operation
  const isScaled = Object.values(parameters).some((value) => [value].flat().some((scale) => scale !== 1))
  return base === undefined && models.length === 1 && !isScaled ? models[0] : undefined
}

/**
 * Finds the shards of a model that an output takes as it is, so that they can stay what they are: all of its tensors, under their names,
 * file by file, in the order in which they lie. Undefined where the output is anything else.
 * @param method the plan's
 * @param tensorCount how many tensors an input has
 */
export function findTakenShards(
  tensors: readonly UnplacedTensor[],
  method: string,
  tensorCount: (input: number) => number,
): readonly (readonly UnplacedTensor[])[] | undefined {
  const byFile = new Map<string, { readonly tensor: UnplacedTensor; readonly byteStart: number }[]>()
  let model: number | undefined
  for (const tensor of tensors) {
    const taken = findTaken(tensor, method)
    if (taken === undefined || taken.name !== tensor.name || taken.input !== (model ??= taken.input)) return undefined
    const { file, byteStart } = taken.source
    const shard = byFile.get(file)
    if (shard !== undefined) shard.push({ tensor, byteStart })
    else if (file.endsWith('.safetensors')) byFile.set(file, [{ tensor, byteStart }])
    else return undefined
  }
  if (model === undefined || tensorCount(model) !== tensors.length) return undefined
  return [...byFile.keys()].toSorted().map((file) =>
    byFile
      .get(file)!
      .toSorted((a, b) => a.byteStart - b.byteStart)
      .map(({ tensor }) => tensor),
  )
}

/**
 * Finds files of weights that are an input's file from their first tensor on: each tensor is taken as it is, at the byte where it is there.
 * @returns by index into `files`, the file of the input
 */
export function findTakenFiles({ tensors, files, method }: MergePlan): ReadonlyMap<number, string> {
  const found = new Map<number, string>()
  const others = new Set<number>()
  for (const tensor of tensors) {
    const { file, byteStart, rows, share } = tensor
    if (others.has(file)) continue
    const source = rows === undefined && share === undefined ? findTaken(tensor, method)?.source : undefined
    const known = found.get(file)
    if (source?.byteStart === byteStart && (known ?? source.file) === source.file) found.set(file, source.file)
    else {
      found.delete(file)
      others.add(file)
    }
  }
  return new Map([...found].filter(([file]) => files[file]!.format === 'safetensors'))
}
