import type { MethodDefinition } from '@mk/methods'
import { elementCount } from '@mk/safetensors'
import { MergeError } from '../errors.ts'
import { type MergePlan, methodOf, operationInputs, type PlannedTensor } from '../plan/merge-plan.ts'
import { storedBytes, storedElementBytes } from '../plan/stored-size.ts'
import { describeNonFinite } from '@mk/tensor'
import { nameNonFinite, type NonFiniteByTensor, type NonFiniteCounts } from './non-finite.ts'
import {
  type Batch,
  batchLimits,
  type BatchLimits,
  createBatch,
  fitsBatch,
  isElementwise,
  smallBatch,
} from './batches.ts'
import { createKinds, type Kind, mayShare } from './kinds.ts'
import { countFollowing, groupTensors } from './tensor-units.ts'
import {
  areManySmall,
  createSmallBatch,
  isOneOfMany,
  isSmall,
  wholeTensor,
  type WholeTensors,
} from './whole-tensors.ts'
import { createStageRunner } from './run-stages.ts'
import { runTensor, type TensorRun } from './run-tensor.ts'
import { type CountProgress, type WeighedPlan, weighPlan, type WeightsByNorm } from './weights-by-norm.ts'
import { taskElements, worthOneTask } from './run-ranges.ts'
import { together, type WorkerPool } from './worker-pool.ts'

/** How far a merge has come, in bytes and tensors of its output. */
export interface MergeProgress {
  readonly writtenBytes: number
  readonly totalBytes: number
  readonly finishedTensors: number
  readonly tensorCount: number
  /** How many an interrupted run had finished; told once before any more is written. */
  readonly resumedTensors: number
  /** Only while norms are counted, from which weights follow, before anything is written. */
  readonly counting?: CountProgress
}

/** An output while its tensors are written. */
export interface RunningOutput {
  /** The data files as the workers' writers know them, by their index in the plan, laid out to their full size; none where all is finished. */
  readonly files: readonly string[]
  /** Of these, those that have what an input has for them, as the file system shares it: what would be copied is there. Absent: none. */
  readonly shared?: ReadonlySet<number>
  /** Tensors that an earlier run of the same plan has finished. */
  readonly finished: ReadonlySet<number>
  /** The weights by norm that an earlier run of the same plan has counted; absent: none. */
  weights?(): readonly WeightsByNorm[] | undefined
  /** Keeps them, and what of the plan follows from them, so that a later run doesn't count again. */
  keepWeights?(weighed: WeighedPlan): Promise<void>
  /** What is infinite or NaN in the tensors that are finished, by this run or an earlier one; in their order. */
  nonFinite(): NonFiniteByTensor
  /** To be called when all of a tensor's elements are written. */
  finish(tensor: number, nonFinite?: NonFiniteCounts): Promise<void>
}

/** How the tensors of a plan are carried out, and who is told of what was found. */
export interface TensorsOptions {
  readonly methods: ReadonlyMap<string, MethodDefinition>
  /** Ends with an error at the first tensor that has infinite values or NaN, or is made of such. */
  readonly strict?: boolean
  readonly onWarning?: (message: string) => void
  readonly signal?: AbortSignal
}

/** By what tensors are computed, and where they are written. */
export interface TensorsRun {
  /** Large tensors that are computed at once, each in tasks of its own; by default as many that no worker waits. */
  readonly atOnce?: number
  readonly pool: WorkerPool
  readonly output: RunningOutput
  readonly progress: ProgressTracker
}

const defaultElementsPerThread = 2 ** 22

/** Counts the threads that have enough to do, of those that there may be. */
export function usefulThreads(
  plan: { readonly tensors: readonly Pick<PlannedTensor, 'shape'>[] },
  most: number,
  elementsPerThread = defaultElementsPerThread,
): number {
  const elements = plan.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0)
  return Math.min(most, Math.max(1, Math.ceil(elements / elementsPerThread)))
}

/** Counts what a merge has written. */
export interface ProgressTracker {
  readonly totalBytes: number
  /** What an interrupted run has not written yet. */
  readonly missingBytes: number
  wrote(bytes: number): void
  counted(counting: CountProgress): void
  /** @param count of tensors */
  finished(count: number): void
}

/** Begins to count; tells what an earlier run had done, if it had. */
export function trackProgress(
  plan: MergePlan,
  done: ReadonlySet<number>,
  onProgress: ((progress: MergeProgress) => void) | undefined,
): ProgressTracker {
  const totalBytes = Math.round(plan.tensors.reduce((sum, tensor) => sum + madeBytes(tensor), 0))
  let writtenBytes = [...done].reduce((sum, index) => sum + madeBytes(plan.tensors[index]!), 0)
  let finishedTensors = done.size
  const counts = { totalBytes, tensorCount: plan.tensors.length, resumedTensors: done.size }
  const report = () => onProgress?.({ ...counts, writtenBytes, finishedTensors })
  if (done.size > 0) report()
  return {
    totalBytes,
    missingBytes: totalBytes - writtenBytes,
    counted(counting) {
      onProgress?.({ ...counts, writtenBytes, finishedTensors, counting })
    },
    wrote(bytes) {
      writtenBytes += bytes
      report()
    },
    finished(count) {
      finishedTensors += count
      report()
    },
  }
}

/** Of what is made of a tensor; that of a share is not a whole number of bytes. */
const madeBytes = ({ share = { from: 0, to: 1 }, ...tensor }: PlannedTensor): number =>
  storedBytes(tensor) * (share.to - share.from)

/**
 * Carries out the tensors of a plan that are not finished yet, several at once, once the weights are known that follow from norms.
 * @returns the plan with these weights in it and in its card
 * @throws the first error of any; `signal`'s reason; MergeError 'values-not-finite'; what `weighPlan` throws
 */
export async function runTensors(
  given: MergePlan,
  { methods, strict = false, onWarning, signal }: TensorsOptions,
  { pool, output, progress, atOnce }: TensorsRun,
): Promise<WeighedPlan> {
  const pending = given.tensors.map((_, index) => index).filter((index) => !output.finished.has(index))
  const known = output.weights?.()
  const weighed =
    pending.length === 0 && known === undefined
      ? { plan: given, weights: [] }
      : await weighPlan(given, { methods, pool, known, signal, onCounted: progress.counted })
  if (weighed.weights.length > 0) await output.keepWeights?.(weighed)
  const { plan } = weighed
  const units = groupTensors(plan, pending)
  const stages = plan.stages && createStageRunner(plan, pending, { methods, pool, ...(onWarning && { onWarning }) })
  // Most outputs are no adapters, and are spared loading it.
  const hasFactors = units.some(({ other }) => other !== undefined)
  const factors = hasFactors ? (await import('./run-factors.ts')).createFactorRunner() : undefined
  const many = countFollowing(plan, units)
  let next = 0
  const refuse = (index: number, counts: NonFiniteCounts) => {
    if (strict)
      throw new MergeError({ code: 'values-not-finite', found: describeNonFinite(nameNonFinite(plan, index, counts)) })
  }
  for (const [index, counts] of output.nonFinite()) refuse(index, counts)
  const kinds = createKinds()
  const labels = plan.inputs.map(({ label }) => label)
  const methodFor = ({ operation }: PlannedTensor) => methods.get(methodOf(plan, operation))!
  /** Methods that asked for passes of single tensors. */
  const ofSeveralPasses = new Set<MethodDefinition>()
  const hasManySmall = areManySmall(
    units.map(({ index }) => plan.tensors[index]!),
    methodFor,
  )
  const warn = (index: number, message: string) => {
    const { name } = plan.tensors[index]!
    onWarning?.(message.startsWith(`${name}: `) ? message : `${name}: ${message}`)
  }
  const finish = async (index: number, nonFinite: NonFiniteCounts | undefined) => {
    if (nonFinite !== undefined) refuse(index, nonFinite)
    stages?.finished(index)
    await output.finish(index, nonFinite)
  }
  const runUnit = async (unit: number) => {
    signal?.throwIfAborted()
    const { index, other, finishes } = units[unit]!
    const tensor = plan.tensors[index]!
    const { operation } = tensor
    const run: TensorRun = {
      tensor,
      index,
      labels,
      file: output.files[tensor.file]!,
      ...(output.shared?.has(tensor.file) && { isThere: true }),
      method: methodFor(tensor),
      seed: plan.seed,
      pool,
      ...(many[unit]! >= 2 * pool.size * taskElements.most && {
        oneOfMany: atOnce === undefined ? worthOneTask(many[unit]!, pool.size) : taskElements.most,
      }),
      kinds,
      onOwn: () => void ofSeveralPasses.add(methodFor(tensor)),
      ...(stages && { stages }),
      warn: (message) => warn(index, message),
      onWritten: (elements) => progress.wrote(elements * storedElementBytes(tensor)),
    }
    const found =
      operation.kind === 'factors'
        ? await factors!.run({ ...run, operation, other: plan.tensors[other!]! })
        : { own: await runTensor(run), other: undefined }
    for (const done of finishes) {
      await finish(done, done === index ? found.own : found.other)
      progress.finished(1)
    }
  }
  const runBatch = async ({ indexes, task }: Batch | WholeTensors) => {
    signal?.throwIfAborted()
    const { nonFiniteAt, warnings = [] } = await pool.run(task, undefined)
    const nonFinite = new Map(nonFiniteAt)
    for (const [place, message] of warnings) warn(indexes[place]!, message)
    progress.wrote(indexes.reduce((sum, index) => sum + storedBytes(plan.tensors[index]!), 0))
    for (const [place, index] of indexes.entries()) await finish(index, nonFinite.get(place))
    progress.finished(indexes.length)
  }
  /** The kind of a unit's tensor, if it is known and can be of a batch. */
  const batchKind = (unit: number, limits: BatchLimits): Kind | undefined => {
    const tensor = plan.tensors[units[unit]!.index]!
    const method = methodFor(tensor)
    if (!fitsBatch(tensor, limits) || !mayShare(method, tensor.operation)) return undefined
    const sources = operationInputs(tensor.operation).map(({ source }) => source)
    const kind = kinds.find({ method, tensor, shape: tensor.shape, sources })
    return kind !== undefined && isElementwise(kind) ? kind : undefined
  }
  /** Takes the tensors that are next as far as they are worth a common message and their kinds are known. */
  const takeBatch = (): Batch | undefined => {
    const limits = atOnce === undefined ? batchLimits(many[next]!, pool.size) : smallBatch
    const found = createBatch(output)
    for (let tensors = 0, elements = 0; next < units.length && tensors < limits.tensors; tensors++, next++) {
      const { index } = units[next]!
      const tensor = plan.tensors[index]!
      elements += elementCount(tensor.shape)
      const kind = elements > limits.elements ? undefined : batchKind(next, limits)
      if (kind === undefined || !found.add(index, tensor, kind)) break
    }
    return found.finish()
  }
  /** Takes those that are next as far as they are so small that a worker carries out all of their passes. */
  const takeSmall = (): WholeTensors | undefined => {
    if (!hasManySmall) return undefined
    const found = createSmallBatch(plan, output.files)
    for (; next < units.length; next++) {
      const { index } = units[next]!
      const tensor = plan.tensors[index]!
      const method = methodFor(tensor)
      if (!ofSeveralPasses.has(method) || !isSmall(tensor, method) || !found.add(index, tensor, method)) break
    }
    return found.finish()
  }
  /** Takes the tensor that is next where a worker carries it out while there is enough else to do. */
  const takeOneOfMany = (): WholeTensors | undefined => {
    if (atOnce !== undefined || pool.isInline) return undefined
    const { index } = units[next]!
    const tensor = plan.tensors[index]!
    const method = methodFor(tensor)
    if (!ofSeveralPasses.has(method)) return undefined
    if (!isOneOfMany(tensor, method, { following: many[next]!, workers: pool.size })) return undefined
    next++
    return wholeTensor(plan, output.files, index, tensor, method)
  }
  const runAll = () =>
    new Promise<void>((resolve, reject) => {
      let active = 0
      let elements = 0
      const start = (size: number, running: Promise<void>) => {
        active++
        elements += size
        running.then(() => {
          active--
          elements -= size
          fill()
        }, reject)
      }
      // Enough tensors at once that no worker waits while a method computes with what its reductions gave, and of small ones so many that
      // a message is about several of them.
      const hasRoom = () =>
        active < (atOnce ?? pool.size + 1) ||
        (active < pool.size * 2 * together.tasks &&
          elements + elementCount(plan.tensors[units[next]!.index]!.shape) <= pool.size * together.elements)
      const fill = () => {
        while (next < units.length && hasRoom()) {
          const batch = takeBatch() ?? takeSmall() ?? takeOneOfMany()
          if (batch !== undefined) start(batch.elements, runBatch(batch))
          else start(elementCount(plan.tensors[units[next]!.index]!.shape), runUnit(next++))
        }
        if (active === 0) resolve()
      }
      fill()
    })
  try {
    await untilFirstError([runAll()], signal)
  } finally {
    next = units.length
    await factors?.close()
  }
  return weighed
}

/** Rejects as soon as one rejects or the signal fires, without leaving the others' rejections unhandled. */
async function untilFirstError(running: readonly Promise<void>[], signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) {
    await Promise.all(running)
    return
  }
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
  })
  signal.addEventListener('abort', onAbort)
  try {
    await Promise.race([Promise.all(running), aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
    for (const one of running) one.catch(() => {})
  }
}
