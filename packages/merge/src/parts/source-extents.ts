import { ggmlBytes } from '@mk/gguf'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import { mergedSources, type TensorSource } from '@mk/source'
import { CHUNK_ELEMENTS } from '@mk/tensor/runtime'
import { type MergePlan, operationInputs, type PlannedTensor } from '../plan/merge-plan.ts'
import { mapPlaced } from './source-places.ts'

/** Bytes [start, end) of a file. */
export interface Extent {
  readonly start: number
  readonly end: number
}

type Placed = Extract<TensorSource, { readonly kind: 'file' | 'strided' | 'blocks' }>

/** What lies closer is read together. */
const smallGap = 2 ** 16

/** Lists the bytes of its inputs that the tensors of a plan are made of, by file, in order and without overlap. */
export function listExtents(plan: MergePlan): ReadonlyMap<string, readonly Extent[]> {
  const { add, addAll, result } = collectExtents()
  for (const tensor of plan.tensors)
    for (const { source } of operationInputs(tensor.operation)) {
      if (tensor.share !== undefined && source.kind === 'file') add(source.file, shareOf(source, tensor))
      else addAll(source)
    }
  for (const operation of reachedInStages(plan)) operationInputs(operation).forEach(({ source }) => addAll(source))
  return result()
}

/** Lists the bytes that sources read, by file, in order and without overlap. */
export function extentsOf(sources: readonly TensorSource[]): ReadonlyMap<string, readonly Extent[]> {
  const { addAll, result } = collectExtents()
  sources.forEach(addAll)
  return result()
}

function collectExtents() {
  const found = new Map<string, Extent[]>()
  const add = (file: string, extent: Extent) => {
    const known = found.get(file)
    if (known === undefined) found.set(file, [extent])
    else known.push(extent)
  }
  return {
    add,
    addAll: (source: unknown) =>
      void mapPlaced(source, (part) => {
        const placed = part as unknown as Placed
        add(placed.file, extentOf(placed))
        return part
      }),
    result: () => new Map([...found].map(([file, extents]) => [file, joined(extents)])),
  }
}

/** Finds how the tensors of other merges are made that a plan's tensors are made of. */
function reachedInStages({ tensors, stages = [] }: MergePlan): readonly PlannedTensor['operation'][] {
  const known = new Map(
    stages.map(({ name, tensors: ofStage }) => [name, new Map(ofStage.map((each) => [each.name, each.operation]))]),
  )
  const reached = new Set<PlannedTensor['operation']>()
  const visit = (operation: PlannedTensor['operation']): void => {
    for (const { stage, tensor } of mergedSources(operationInputs(operation).map(({ source }) => source))) {
      const inner = known.get(stage)!.get(tensor)!
      if (reached.has(inner)) continue
      reached.add(inner)
      visit(inner)
    }
  }
  for (const { operation } of tensors) visit(operation)
  return [...reached]
}

function extentOf(source: Placed): Extent {
  const { byteStart: start, shape, dtype } = source
  const count = elementCount(shape)
  switch (source.kind) {
    case 'file':
      return { start, end: start + count * dtypeBytes(dtype) }
    case 'strided': {
      const { elementOffset, strides } = source
      const last = shape.reduce((sum, size, dimension) => sum + (size - 1) * strides[dimension]!, elementOffset)
      const bytes = dtypeBytes(dtype)
      return count === 0
        ? { start, end: start }
        : { start: start + elementOffset * bytes, end: start + (last + 1) * bytes }
    }
    case 'blocks':
      return { start, end: start + ggmlBytes(source.type, shape)! }
    default:
      return source satisfies never
  }
}

/** A share is counted in chunks, whose length follows from what is computed: as many elements more as that can make out. */
function shareOf(source: Extract<Placed, { kind: 'file' }>, { share }: PlannedTensor): Extent {
  const whole = extentOf(source)
  const count = elementCount(source.shape)
  const margin = 2 * Math.max(CHUNK_ELEMENTS, source.shape.at(-1) ?? 1)
  const bytes = dtypeBytes(source.dtype)
  return {
    start: whole.start + Math.max(0, Math.floor(count * share!.from) - margin) * bytes,
    end: whole.start + Math.min(count, Math.ceil(count * share!.to) + margin) * bytes,
  }
}

function joined(extents: readonly Extent[]): readonly Extent[] {
  const result: Extent[] = []
  for (const extent of extents.toSorted((a, b) => a.start - b.start)) {
    const last = result.at(-1)
    if (last !== undefined && extent.start <= last.end + smallGap)
      result[result.length - 1] = { start: last.start, end: Math.max(last.end, extent.end) }
    else if (extent.end > extent.start) result.push(extent)
  }
  return result
}
