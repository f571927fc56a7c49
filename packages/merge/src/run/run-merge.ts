import { availableParallelism } from 'node:os'
import { type IssueError, issueErrorOf, systemReason } from '@mk/errors'
import type { MethodDefinition } from '@mk/methods'
import { elementCount } from '@mk/safetensors'
import { MergeError } from '../errors.ts'
import { checkSpace } from '../output/check-space.ts'
import { type KeptOutput, openOutputFolder, type OutputFolder } from '../output/output-folder.ts'
import { storedBytes, storedElementBytes } from '../plan/stored-size.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { describeNonFinite, nameNonFinite, type NonFiniteCounts, type NonFiniteTensor } from './non-finite.ts'
import { runTensor } from './run-tensor.ts'
import type { RuntimeSpecifier } from './task.ts'
import { createWorkerPool, type PoolOptions, type WorkerPool } from './worker-pool.ts'

export interface RunOptions {
  readonly out: string
  readonly methods: ReadonlyMap<string, MethodDefinition>
  /** What computes; the default is WebAssembly. */
  readonly runtime?: RuntimeSpecifier
  /** Worker threads, by default as many as there are cores; 0 runs everything in the calling thread. */
  readonly threads?: number
  /** Fewer threads start where there is less than that for each to do; by default 2^22, which takes about as long as a start. */
  readonly elementsPerThread?: number
  /** Replace an output that is there. */
  readonly overwrite?: boolean
  /** Ends with an error at the first tensor that has infinite values or NaN, or is made of such. */
  readonly strict?: boolean
  /** For chunks that stay with the workers between the passes over a tensor, of all workers together. */
  readonly cacheBytes?: number
  readonly onProgress?: (progress: MergeProgress) => void
  readonly onWarning?: (message: string) => void
  /** Called before a failed merge rejects, with what is kept of it: the same merge goes on from there. */
  readonly onKept?: (kept: KeptOutput) => void
  /** Stops the merge; what is done stays in the partial folder, and the same merge goes on from there. */
  readonly signal?: AbortSignal
}

export interface MergeProgress {
  readonly writtenBytes: number
  readonly totalBytes: number
  readonly finishedTensors: number
  readonly tensorCount: number
  /** How many an interrupted run had finished; told once before any more is written. */
  readonly resumedTensors: number
}

export interface MergeResult {
  readonly tensorCount: number
  readonly writtenBytes: number
  /** Of the tensors above, those an earlier, interrupted run had done. */
  readonly resumedTensors: number
  /** The tensors that have infinite values or NaN, or are made of such, in the order of the output. */
  readonly nonFinite: readonly NonFiniteTensor[]
}

const defaultElementsPerThread = 2 ** 22
const defaultCacheBytes = 8 * 2 ** 20

const wasmRuntime = (): RuntimeSpecifier => ({
  name: 'wasm',
  module: import.meta.resolve('@mk/runtime-wasm'),
  factory: 'createWasmRuntime',
})

/**
 * Carries out a plan and gives the output folder its final name. The same plan writes the same bytes, whatever the number
 * of threads and however often it was interrupted.
 * @throws the first error of any tensor. After one that another try may get over, what is done is kept, see `onKept`; after others
 * nothing is left.
 */
export async function runMerge(plan: MergePlan, options: RunOptions): Promise<MergeResult> {
  // Threads start while the output is laid out.
  const pool = await createWorkerPool(poolOptions(plan, options))
  let output: OutputFolder
  try {
    output = await openOutputFolder(plan, {
      out: options.out,
      overwrite: options.overwrite ?? false,
      code: { method: options.methods.get(plan.method), runtime: options.runtime ?? wasmRuntime() },
      ...(options.onWarning && { onWarning: options.onWarning }),
    })
  } catch (error) {
    await pool.close()
    throw error
  }
  const progress = trackProgress(plan, output.finished, options.onProgress)
  try {
    try {
      await checkSpace([{ folder: output.partial, bytes: progress.missingBytes }])
      await runTensors(plan, options, pool, output, progress)
    } finally {
      await pool.close()
    }
    await output.complete()
  } catch (error) {
    throw await endEarly(error, output, options)
  }
  return {
    tensorCount: plan.tensors.length,
    writtenBytes: progress.totalBytes,
    resumedTensors: output.finished.size,
    nonFinite: output.nonFinite().map(([index, counts]) => nameNonFinite(plan, index, counts)),
  }
}

/** Keeps what another run can go on from, and deletes what none can. @returns what to throw */
async function endEarly(error: unknown, output: OutputFolder, options: RunOptions): Promise<unknown> {
  const { signal, onKept, onWarning } = options
  const isInterrupted = signal?.aborted === true
  const issue = issueErrorOf(error)
  let kept: KeptOutput | undefined
  try {
    if (isInterrupted) kept = await output.suspend('always')
    else if (issue !== undefined && needsOtherPlan(issue)) await output.discard()
    else kept = await output.suspend('or-discard')
  } catch (cause) {
    // What ended the merge is what has to be mended; it may be why this fails, too.
    onWarning?.(`${output.partial} could not be put in order (${systemReason(cause)}); the same command does so first`)
  }
  if (isInterrupted)
    return new MergeError({ code: 'interrupted', folder: kept?.folder ?? output.partial }, { cause: error })
  if (kept !== undefined) onKept?.(kept)
  return error
}

/** Whether recipe or inputs have to be mended, and not only what is at the place of the output. */
const needsOtherPlan = ({ code, fault }: IssueError) =>
  ['input-changed', 'file-ended'].includes(code) ||
  (fault === 'usage' && !['output-exists', 'output-strangers', 'output-unwritable'].includes(code))

function poolOptions(plan: MergePlan, options: RunOptions): PoolOptions {
  const {
    runtime = wasmRuntime(),
    threads = availableParallelism(),
    elementsPerThread = defaultElementsPerThread,
    cacheBytes = defaultCacheBytes,
  } = options
  const elements = plan.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0)
  return { runtime, threads: Math.min(threads, Math.max(1, Math.ceil(elements / elementsPerThread))), cacheBytes }
}

interface ProgressTracker {
  readonly totalBytes: number
  /** What an interrupted run has not written yet. */
  readonly missingBytes: number
  wrote(bytes: number): void
  finished(): void
}

function trackProgress(
  plan: MergePlan,
  done: ReadonlySet<number>,
  onProgress: RunOptions['onProgress'],
): ProgressTracker {
  const totalBytes = plan.tensors.reduce((sum, tensor) => sum + storedBytes(tensor), 0)
  let writtenBytes = [...done].reduce((sum, index) => sum + storedBytes(plan.tensors[index]!), 0)
  let finishedTensors = done.size
  const counts = { totalBytes, tensorCount: plan.tensors.length, resumedTensors: done.size }
  const report = () => onProgress?.({ ...counts, writtenBytes, finishedTensors })
  if (done.size > 0) report()
  return {
    totalBytes,
    missingBytes: totalBytes - writtenBytes,
    wrote(bytes) {
      writtenBytes += bytes
      report()
    },
    finished() {
      finishedTensors++
      report()
    },
  }
}

async function runTensors(
  plan: MergePlan,
  { methods, strict = false, onWarning, signal }: RunOptions,
  pool: WorkerPool,
  output: OutputFolder,
  progress: ProgressTracker,
): Promise<void> {
  const pending = plan.tensors.map((_, index) => index).filter((index) => !output.finished.has(index))
  let next = 0
  const refuse = (index: number, counts: NonFiniteCounts) => {
    if (strict)
      throw new MergeError({ code: 'values-not-finite', found: describeNonFinite(nameNonFinite(plan, index, counts)) })
  }
  for (const [index, counts] of output.nonFinite()) refuse(index, counts)
  const runPending = async () => {
    while (next < pending.length) {
      signal?.throwIfAborted()
      const index = pending[next++]!
      const tensor = plan.tensors[index]!
      const nonFinite = await runTensor({
        tensor,
        index,
        labels: plan.inputs.map(({ label }) => label),
        file: output.files[tensor.file]!,
        method: methods.get(plan.method)!,
        seed: plan.seed,
        pool,
        warn: (message) => onWarning?.(message.startsWith(`${tensor.name}: `) ? message : `${tensor.name}: ${message}`),
        onWritten: (elements) => progress.wrote(elements * storedElementBytes(tensor)),
      })
      if (nonFinite !== undefined) refuse(index, nonFinite)
      await output.finish(index, nonFinite)
      progress.finished()
    }
  }
  try {
    // Enough tensors at once that no worker waits while a method computes with what its reductions gave.
    await untilFirstError(Array.from({ length: pool.size + 1 }, runPending), signal)
  } finally {
    next = pending.length
  }
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
