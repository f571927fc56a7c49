import { expectArgument, isRecord, type IssueError, issueErrorOf, systemReason } from '@mk/errors'
import { builtinMethods, type MethodDefinition } from '@mk/methods'
import { MergeError } from '../errors.ts'
import type { ChecksumProgress } from '../output/checksums.ts'
import { expectOut } from './expect-out.ts'
import { checkSpace } from '../output/check-space.ts'
import { type KeptOutput, openOutputFolder, type OutputFolder } from '../output/output-folder.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { storedBytes } from '../plan/stored-size.ts'
import { type NonFiniteTensor } from '@mk/tensor'
import { nameNonFinite } from '../run/non-finite.ts'
import { type MergeProgress, runTensors, trackProgress } from '../run/run-tensors.ts'
import type { WeightsByNorm } from '../run/weights-by-norm.ts'
import { wasmRuntime } from '../run/task.ts'
import { openPoolFor, type PlanPoolSettings } from './open-pool.ts'

/** Where a plan is carried out, by what, and who is told of it. */
export interface RunOptions extends PlanPoolSettings {
  readonly out: string
  /** Those that the plan was made with; the built-in ones if absent. */
  readonly methods?: ReadonlyMap<string, MethodDefinition>
  /** Replace an output that is there. */
  readonly overwrite?: boolean
  /** Ends with an error at the first tensor that has infinite values or NaN, or is made of such. */
  readonly strict?: boolean
  /** Whether the card, where there is one, gets the SHA-256 of each file of weights, computed while they are written; it does if absent. */
  readonly checksums?: boolean
  readonly onProgress?: (progress: MergeProgress) => void
  /** Called while checksums are computed of what has been written, once everything is. */
  readonly onChecksums?: (progress: ChecksumProgress) => void
  readonly onWarning?: (message: string) => void
  /** Called before a failed merge rejects, with what is kept of it: the same merge goes on from there. */
  readonly onKept?: (kept: KeptOutput) => void
  /** Stops the merge; what is done stays in the partial folder, and the same merge goes on from there. */
  readonly signal?: AbortSignal
}

/** What a merge has written. */
export interface MergeResult {
  readonly tensorCount: number
  readonly writtenBytes: number
  /** Of the tensors above, those an earlier, interrupted run had done. */
  readonly resumedTensors: number
  /** The tensors that have infinite values or NaN, or are made of such, in the order of the output. */
  readonly nonFinite: readonly NonFiniteTensor[]
  /** Weights that followed from norms; absent where none did. */
  readonly weights?: readonly WeightsByNorm[]
  /** The SHA-256 of each file of weights, as the card has it, in hexadecimal digits; absent where it has none. */
  readonly checksums?: Readonly<Record<string, string>>
}

/**
 * Carries out a plan and gives the output folder its final name. The same plan writes the same bytes, whatever the number
 * of threads and however often it was interrupted.
 * @throws CallError; the first error of any tensor. After one that another try may get over, what is done is kept, see `onKept`; after others
 * nothing is left.
 */
export async function runMerge(plan: MergePlan, options: RunOptions): Promise<MergeResult> {
  expectArgument(isRecord(plan) && Array.isArray(plan.tensors), 'runMerge', {
    argument: 'plan',
    expected: 'a plan: the plan of prepareMerge, or what its download returns',
    found: plan,
  })
  expectArgument(isRecord(options), 'runMerge', { argument: 'options', expected: 'an object with out', found: options })
  expectOut('runMerge', options.out)
  const { methods = builtinMethods } = options
  // Threads start while the output is laid out.
  const pool = await openPoolFor(plan, options)
  let output: OutputFolder
  try {
    output = await openOutputFolder(plan, {
      out: options.out,
      overwrite: options.overwrite ?? false,
      code: { methods, runtime: options.runtime ?? wasmRuntime },
      ...(options.checksums !== undefined && { checksums: options.checksums }),
      ...(options.threads !== undefined && { threads: options.threads }),
      ...(options.onWarning && { onWarning: options.onWarning }),
    })
  } catch (error) {
    await pool.close()
    throw error
  }
  const progress = trackProgress(plan, output.finished, options.onProgress)
  const { signal, onChecksums } = options
  let checksums: ReadonlyMap<string, string> | undefined
  let weights: readonly WeightsByNorm[]
  try {
    try {
      await checkSpace([{ folder: output.partial, bytes: progress.missingBytes - sharedBytes(plan, output) }])
      ;({ weights } = await runTensors(plan, { ...options, methods }, { pool, output, progress }))
    } finally {
      await pool.close()
    }
    checksums = await output.complete({ signal, ...(onChecksums && { onProgress: onChecksums }) })
  } catch (error) {
    throw await endEarly(error, output, options)
  }
  return {
    tensorCount: plan.tensors.length,
    writtenBytes: progress.totalBytes,
    resumedTensors: output.finished.size,
    nonFinite: output.nonFinite().map(([index, counts]) => nameNonFinite(plan, index, counts)),
    ...(weights.length > 0 && { weights }),
    ...(checksums && { checksums: Object.fromEntries(checksums) }),
  }
}

/** Counts what is not finished, and needs no room of its own. */
const sharedBytes = ({ tensors }: MergePlan, { shared, finished }: OutputFolder): number =>
  tensors.reduce(
    (sum, tensor, index) => (shared?.has(tensor.file) && !finished.has(index) ? sum + storedBytes(tensor) : sum),
    0,
  )

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
  ['input-changed', 'output-changed', 'file-ended'].includes(code) ||
  (fault === 'usage' && !['output-exists', 'output-strangers', 'output-unwritable'].includes(code))
