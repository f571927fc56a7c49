import { readFile, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileState } from '@mk/checkpoint'
import { ifPresent } from '@mk/errors'
import { type MergePlan, openComparingPool, plannedModels, type PreparedMerge, storedBytes } from '@mk/merge'
import { type ByteDifference, type RuntimeSpecifier, runTensors, trackProgress, wasmRuntime } from '@mk/merge/run'
import { fmix32 } from '@mk/tensor/runtime'
import { InspectError } from '../errors.ts'
import { doubt, type Fault, fault } from './fault.ts'
import type { ReadOutput } from './read-output.ts'

/** A plan whose output is to be computed anew, and how much of it. */
export interface PlanToCompare extends Pick<PreparedMerge, 'methods'> {
  readonly plan: MergePlan
  /** How many tensors; absent: all. */
  readonly sample?: number
  /** Which ones; 0 if absent. */
  readonly seed?: number
  readonly runtime?: RuntimeSpecifier
  /** Checks that the inputs are those that were planned for; absent: what the plan says of their states is compared. */
  check?(): Promise<void>
}

interface CompareOptions {
  readonly threads?: number
  readonly signal?: AbortSignal | undefined
  readonly onWarning?: (message: string) => void
  readonly onRead: (byteCount: number) => void
}

/** Chooses tensors of a plan, the same for the same seed. @returns their indices, in order */
export function sampleTensors({ tensors }: MergePlan, sample = Infinity, seed = 0): readonly number[] {
  const order = [...tensors.keys()].sort((a, b) => keyOf(a, seed) - keyOf(b, seed) || a - b)
  return order.slice(0, sample).sort((a, b) => a - b)
}

const keyOf = (index: number, seed: number): number => fmix32(fmix32(seed + 1) ^ index)

/**
 * Computes tensors of a plan anew and compares them, byte by byte, with what an output has in their places; nothing is written.
 * @throws InspectError 'against-other' where it is no output of the plan, 'against-inputs' where its inputs have changed; what a merge throws
 */
export async function compareWithPlan(
  output: ReadOutput,
  { plan, methods, sample, seed, runtime = wasmRuntime, check = () => checkInputs(plan) }: PlanToCompare,
  { threads = availableParallelism(), signal, onWarning, onRead }: CompareOptions,
): Promise<Fault[]> {
  await check()
  const faults = await compareFiles(output, plan)
  const chosen = sampleTensors(plan, sample, seed).filter((index) => {
    const found = misplaced(output, plan, index)
    if (found !== undefined) faults.push(found)
    return found === undefined
  })
  const differences: ByteDifference[] = []
  const files = plan.files.map(({ name }) => join(output.folder, name))
  const wanted = new Set(chosen)
  const skipped = new Set([...plan.tensors.keys()].filter((index) => !wanted.has(index)))
  const work = { tensors: chosen.map((index) => plan.tensors[index]!) }
  const pool = await openComparingPool(work, { runtime, threads }, (difference) => differences.push(difference))
  try {
    const running = {
      files,
      finished: skipped,
      nonFinite: () => [],
      finish: (index: number) => Promise.resolve(onRead(storedBytes(plan.tensors[index]!))),
    }
    const progress = trackProgress(plan, skipped, undefined)
    await runTensors(
      plan,
      { methods, ...(signal && { signal }), ...(onWarning && { onWarning }) },
      { pool, output: running, progress },
    )
  } finally {
    await pool.close()
  }
  return [...faults, ...nameDifferences(plan, files, differences)]
}

async function checkInputs(plan: MergePlan): Promise<void> {
  for (const [file, planned] of plannedModels(plan).flatMap(({ states }) => Object.entries(states)))
    if ((await fileState(file)) !== planned) throw new InspectError({ code: 'against-inputs', file })
}

async function compareFiles({ folder }: ReadOutput, plan: MergePlan): Promise<Fault[]> {
  const sizes = await Promise.all(plan.files.map(async ({ name }) => (await ifPresent(stat(join(folder, name))))?.size))
  if (sizes.every((size) => size === undefined))
    throw new InspectError({ code: 'against-other', folder, problem: `it has no ${plan.files[0]!.name}` })
  const faults = plan.files.flatMap(({ name, fileBytes }, index): Fault[] => {
    if (sizes[index] === fileBytes) return []
    return [
      sizes[index] === undefined
        ? fault('file-missing', `${name} is not there, though it is planned`, { file: name })
        : fault('differs', `${name} has ${sizes[index]} bytes, but ${fileBytes} are planned`, { file: name }),
    ]
  })
  for (const { name, text } of plan.documents) {
    const there = await ifPresent(readFile(join(folder, name), 'utf8'))
    if (name === 'README.md' ? there?.startsWith(text) !== true : there !== text)
      faults.push(
        doubt(
          'differs',
          there === undefined ? `${name} is not there, though it is planned` : `${name} is not as planned`,
          { file: name },
        ),
      )
  }
  return faults
}

/** A tensor that is not in its place can't be compared with what belongs there. */
function misplaced({ tensors, files }: ReadOutput, plan: MergePlan, index: number): Fault | undefined {
  const { name, dtype, shape, byteStart, file, rows } = plan.tensors[index]!
  const place = { file: plan.files[file]!.name, tensor: name }
  if (!files.includes(place.file)) return fault('differs', `${name} is not there: ${place.file} is missing`, place)
  // Those of a GGUF have names, shapes and blocks of its own, behind a header of the planned size.
  if (rows !== undefined || plan.files[file]!.format === 'gguf') return undefined
  const found = tensors.get(name)?.source
  if (found === undefined) return fault('differs', `${name} is not there, though it is planned`, place)
  const isInPlace =
    found.kind === 'file' &&
    found.byteStart === byteStart &&
    found.dtype === dtype &&
    String(found.shape) === String(shape)
  return isInPlace ? undefined : fault('differs', `${name} has another place, dtype or shape than planned`, place)
}

/** The first difference of each tensor, in the order of the plan. */
function nameDifferences(plan: MergePlan, files: readonly string[], differences: readonly ByteDifference[]): Fault[] {
  const first = new Map<number, number>()
  for (const { file, position } of differences) {
    const index = tensorAt(plan, files.indexOf(file), position)
    first.set(index, Math.min(first.get(index) ?? Infinity, position))
  }
  return [...first]
    .toSorted(([a], [b]) => a - b)
    .map(([index, position]) => {
      const { name, file } = plan.tensors[index]!
      const place = { file: plan.files[file]!.name, tensor: name }
      return fault(
        'differs',
        `${name} is not what is computed for it, from byte ${position} of ${place.file} on`,
        place,
      )
    })
}

function tensorAt({ tensors }: MergePlan, file: number, position: number): number {
  let [found, start] = [0, -1]
  for (const [index, tensor] of tensors.entries())
    for (const { byteStart } of tensor.file === file ? (tensor.rows?.runs ?? [tensor]) : [])
      if (byteStart <= position && byteStart > start) [found, start] = [index, byteStart]
  return found
}
