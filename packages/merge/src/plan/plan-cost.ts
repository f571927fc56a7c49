import { builtinMethods, countMatrices, type MethodDefinition } from '@mk/methods'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import { mergedSources, sourceBytes } from '@mk/source'
import { CHUNK_ELEMENTS } from '@mk/tensor/runtime'
import { defaultCacheBytes, differenceCacheBytes, rememberedShare } from '../run/task.ts'
import { inputSideOf, squareSize, worksOnMatrices } from './check-matrices.ts'
import { countPasses } from './count-passes.ts'
import { type MatrixCost, matrixCost, type MatrixWork } from './matrix-cost.ts'
import {
  countedSources,
  type MergePlan,
  methodOf,
  type Operation,
  operationInputs,
  type PlannedTensor,
} from './merge-plan.ts'
import { countedOf, weighOperation } from '../run/weigh-operation.ts'
import { countsElements } from './weight-groups.ts'
import { storedBytes, storedElementBytes } from './stored-size.ts'

/** What carrying out a tensor of a plan takes. */
export interface TensorCost {
  readonly name: string
  /** Of its inputs, each read once. */
  readonly readBytes: number
  /** How often its inputs are gone through; undefined where the method is one of the user's own, whose code no plan runs. */
  readonly passes: number | undefined
  readonly writtenBytes: number
  /** Of what is computed of whole matrices, about; absent where nothing is. */
  readonly matrices?: MatrixCost
}

/** What carrying out a plan takes. */
export interface PlanCost {
  /** In the order of the plan. */
  readonly tensors: readonly TensorCost[]
  /** Of all inputs of all tensors, each read once. */
  readonly readBytes: number
  /** The same, counted as often as they are gone through: what the disk doesn't give again comes from its cache. */
  readonly passedBytes: number
  /** The most of any tensor. */
  readonly passes: number
  readonly writtenBytes: number
  /** Seconds of one core for what is computed of whole matrices, about; absent where nothing is. */
  readonly matrixSeconds?: number
  /** An estimate of the memory that the process needs at most, whatever the size of models and tensors. */
  readonly memoryBytes: number
}

/** As runMerge has them. */
export interface CostSettings {
  readonly threads: number
  readonly cacheBytes?: number
}

/** Node itself, with the plan and all that is loaded; each worker thread. Measured on merges of next to nothing. */
const fixedBytes = { process: 85e6, thread: 20e6 }

/** Sums up what carrying out a plan will read, write and need. */
export async function planCost(
  plan: MergePlan,
  { threads, cacheBytes = defaultCacheBytes }: CostSettings,
): Promise<PlanCost> {
  const passesOf = createCounter((operation) => builtinMethods.get(methodOf(plan, operation)))
  const readBytes = createReadCounter(plan)
  const tensors: TensorCost[] = []
  for (const tensor of plan.tensors) {
    const found = await passesOf(tensor)
    const matrices = found?.matrices && costOfMatrices(plan, tensor, found.matrices)
    tensors.push({
      name: tensor.name,
      readBytes: readBytes(tensor),
      passes: found?.passes,
      writtenBytes: storedBytes(tensor),
      ...(matrices && { matrices }),
    })
  }
  const sum = (of: (tensor: TensorCost) => number) => tensors.reduce((total, tensor) => total + of(tensor), 0)
  const buffers = plan.tensors.reduce((most, tensor) => Math.max(most, bufferBytes(tensor)), 0)
  const workers = Math.max(1, threads)
  const sketches = plan.tensors.reduce((most, tensor) => Math.max(most, sketchBytes(tensor)), 0)
  const kept = sketches > 0 ? differenceCacheBytes : 0
  const remembers = plan.tensors.some(
    ({ operation }) => builtinMethods.get(methodOf(plan, operation))?.draws !== undefined,
  )
  // As many tensors as there are workers, and one more, are in flight.
  const matrixBytes = tensors.reduce((most, { matrices }) => Math.max(most, matrices?.bytes ?? 0), 0) * (workers + 1)
  const matrixSeconds = sum(({ matrices }) => matrices?.seconds ?? 0)
  return {
    tensors,
    readBytes: sum(({ readBytes }) => readBytes),
    passedBytes: sum(({ readBytes, passes = 1 }) => readBytes * passes) + countedBytes(plan),
    passes: tensors.reduce((most, { passes = 1 }) => Math.max(most, passes), 0),
    writtenBytes: sum(({ writtenBytes }) => writtenBytes),
    ...(matrixSeconds > 0 && { matrixSeconds }),
    memoryBytes:
      fixedBytes.process +
      threads * fixedBytes.thread +
      workers * (buffers + sketches) +
      cacheBytes * (remembers ? 1 + rememberedShare : 1) +
      kept +
      matrixBytes,
  }
}

/** What is read to count norms, where a plan says it apart. */
const countedBytes = ({ counted = [] }: MergePlan): number =>
  counted
    .flatMap(({ tensors }) => tensors.flatMap(countedSources))
    .reduce((sum, source) => sum + sourceBytes(source), 0)

/** Counts what is read for a tensor, tensors of other merges that it is made of included, each once. */
function createReadCounter({ stages = [] }: MergePlan): (tensor: Pick<PlannedTensor, 'operation'>) => number {
  const ownBytes = ({ operation }: Pick<PlannedTensor, 'operation'>): number =>
    operationInputs(operation).reduce((sum, { source }) => sum + sourceBytes(source), 0)
  if (stages.length === 0) return ownBytes
  const tensors = new Map<string, Pick<PlannedTensor, 'operation'>>(
    stages.flatMap(({ name, tensors: ofStage }) =>
      ofStage.map((tensor) => [`${name}\n${tensor.name}`, tensor] as const),
    ),
  )
  return (tensor) => {
    const seen = new Set<string>()
    const count = (each: Pick<PlannedTensor, 'operation'>): number => {
      const sources = operationInputs(each.operation).map(({ source }) => source)
      return mergedSources(sources).reduce((sum, { stage, tensor: name }) => {
        const key = `${stage}\n${name}`
        if (seen.has(key)) return sum
        seen.add(key)
        return sum + count(tensors.get(key)!)
      }, ownBytes(each))
    }
    return count(tensor)
  }
}

function costOfMatrices(plan: MergePlan, { name, shape: own, operation }: PlannedTensor, work: MatrixWork): MatrixCost {
  const method = builtinMethods.get(methodOf(plan, operation))!
  const shape = operation.kind === 'factors' ? operation.inputs[0]!.source.shape : own
  const { seconds, bytes } = matrixCost(
    work,
    squareSize(method, shape, inputSideOf(operation)),
    elementCount(shape.slice(-2)),
  )
  return { seconds: seconds * countMatrices(name, shape), bytes }
}

/** Tensors that are merged alike take as many passes. */
function createCounter(
  methodFor: (operation: Operation) => MethodDefinition | undefined,
): (tensor: PlannedTensor) => Promise<Awaited<ReturnType<typeof countPasses>> | undefined> {
  const known = new Map<string, ReturnType<typeof countPasses>>()
  return async (tensor) => {
    const { operation, shape } = tensor
    const method = methodFor(operation)
    const change = operation.kind === 'factors' ? operation.change : undefined
    if (method === undefined && (operation.kind === 'merge' || change?.kind === 'task-vectors')) return undefined
    const inputs = operationInputs(operation).length
    const parameters =
      operation.kind === 'merge' ? operation.parameters : change?.kind === 'task-vectors' ? change : undefined
    const base = operation.kind === 'merge' && operation.base !== undefined
    const dimensions = elementCount(shape) < 2 ? elementCount(shape) : -Math.min(2, shape.length)
    // An adapter's plan says apart what is counted.
    const counts = countedOf(operation) === undefined && countsElements(tensor)
    const isOfMatrices = worksOnMatrices(method, tensor)
    const key = JSON.stringify([operation.kind, method?.name, inputs, base, dimensions, isOfMatrices, parameters])
    const passes =
      known.get(key) ??
      countPasses(method, {
        ...tensor,
        operation: weighOperation(
          operation,
          operationInputs(operation).map(() => 1),
        ),
      })
    known.set(key, passes)
    const found = await passes
    return { ...found, passes: found.passes + (counts ? 1 : 0) }
  }
}

/** Bytes of the factors of a module, and of what they are computed with: some copies in float64. */
function sketchBytes({ shape, operation }: PlannedTensor): number {
  if (operation.kind !== 'factors') return 0
  const [rank, columns] = shape as readonly [number, number]
  const isStreamed = 'transposed' in operation.change
  const rows = isStreamed ? operation.inputs[0]!.source.shape : [columns, columns]
  const own = operation.inputs.reduce((sum, { source }) => sum + elementCount(source.shape), 0)
  const sketch = Math.ceil(1.25 * rank + 10) * (rows[0]! + rows[1]!)
  return 4 * 8 * (isStreamed ? sketch : own)
}

/** Bytes of a chunk of every input and of what is stored; buffers grow in steps of twice their size. */
function bufferBytes(tensor: PlannedTensor): number {
  const elements = Math.min(elementCount(tensor.shape), Math.max(CHUNK_ELEMENTS, ...tensor.shape.slice(-1)))
  const inputs = operationInputs(tensor.operation).reduce((sum, { source }) => sum + dtypeBytes(source.dtype), 0)
  return 2 * elements * (inputs + storedElementBytes(tensor))
}
