import { builtinMethods, type MethodDefinition } from '@mk/methods'
import { MergeError } from '../errors.ts'
import { systemReason } from '@mk/errors'
import type { MergeResult } from '../node/run-merge.ts'
import { checkOutput } from '../output/check-output.ts'
import type { ChecksumProgress } from '../output/checksums.ts'
import { type Done, findFinished } from '../output/journal.ts'
import { isLaidOut } from '../output/data-files.ts'
import { openOutputOf, type OutputFolder } from '../output/output-folder.ts'
import { findOutputPlace, type OutputPlace } from '../output/output-place.ts'
import { listDataFiles } from '../plan/file-pieces.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { storedBytes } from '../plan/stored-size.ts'
import { describeNonFinite } from '@mk/tensor'
import { addCounts, nameNonFinite, type NonFiniteCounts } from '../run/non-finite.ts'
import { type RuntimeSpecifier, wasmRuntime } from '../run/task.ts'
import { join } from 'node:path'
import { isOutputOf } from './is-output-of.ts'
import type { MappedPath } from './map-paths.ts'
import { partsIdentity } from './part-folder.ts'
import { type HubInputs, locateInputs } from './part-inputs.ts'
import { openPartRecords, type PartRecord, type PartRecords } from './part-records.ts'
import { checkPlanCode, type PlanFile } from './plan-file.ts'

/** Where the parts of a merge were written, and what becomes of the output. */
export interface FinishOptions extends HubInputs {
  readonly out: string
  /** Those that the plan was made with; the built-in ones if absent. */
  readonly methods?: ReadonlyMap<string, MethodDefinition>
  readonly runtime?: RuntimeSpecifier
  /** Replace an output that is there. */
  readonly overwrite?: boolean
  /** Ends with an error, before the output gets its name, where a tensor has infinite values or NaN, or is made of such. */
  readonly strict?: boolean
  /** Where inputs are seen from here, of which small files are copied. */
  readonly mapPaths?: readonly MappedPath[]
  /** Whether the card gets the SHA-256 of the files of weights; it does if absent. */
  readonly checksums?: boolean
  /** Threads that compute them at most, by default as many as there are cores; 0: the calling one does. */
  readonly threads?: number
  /** How much of the files has been read for that. */
  readonly onChecksums?: (progress: ChecksumProgress) => void
  readonly onWarning?: (message: string) => void
  readonly signal?: AbortSignal
}

/** How far a merge in parts is: of one number of parts. */
export interface PartsState {
  readonly of: number
  readonly done: readonly number[]
  readonly missing: readonly number[]
}

/** Tells which parts of a plan are done, by the number of parts; those of which most are first. @throws MergeError 'output-…' */
export async function findParts({ id }: PlanFile, { out }: Pick<FinishOptions, 'out'>): Promise<readonly PartsState[]> {
  const records = openPartRecords(findOutputPlace(out).partial, id)
  return statesOf(await records.listDone())
}

const statesOf = (done: ReadonlyMap<number, readonly number[]>): readonly PartsState[] =>
  [...done]
    .map(([of, parts]) => {
      const there = new Set(parts)
      const missing = Array.from({ length: of }, (_, index) => index + 1).filter((part) => !there.has(part))
      return { of, done: parts.toSorted((a, b) => a - b), missing }
    })
    .toSorted((a, b) => b.done.length / b.of - a.done.length / a.of || a.of - b.of)

/**
 * Completes a merge whose parts are done: index, config, tokenizer and card, and then its name, in one step. Done again, it finds the
 * output and is content.
 * @returns what `runMerge` returns of the same merge, its numbers summed over the parts
 * @throws MergeError 'parts-missing', which another try may get over; 'values-not-finite'; what keeps the output from its place
 */
export async function finishMerge(file: PlanFile, options: FinishOptions): Promise<MergeResult> {
  const { out, overwrite = false, methods = builtinMethods, runtime = wasmRuntime, strict = false, signal } = options
  checkPlanCode(file, { methods, runtime })
  const place = findOutputPlace(out)
  const result = { tensorCount: file.plan.tensors.length, writtenBytes: sum(file.plan.tensors.map(storedBytes)) }
  if (await isOutputOf(file, place)) return { ...result, resumedTensors: result.tensorCount, nonFinite: [] }
  await checkOutput({ out, overwrite })
  const own = { ...file.plan, tensors: [], stages: [] }
  const located = await locateInputs(file, own, options.mapPaths ?? [], options)
  const brought = await located.bring(located.plan, signal)
  const copies = located.plan.copies.map(({ name, from }) => ({ name, from: brought.locate(from) }))
  const records = openPartRecords(place.partial, file.id)
  const warnings: string[] = []
  const output = await openOutputOf({ ...file.plan, copies }, async () => partsIdentity(file.id), {
    out,
    overwrite,
    ...(options.checksums !== undefined && { checksums: options.checksums }),
    ...(options.threads !== undefined && { threads: options.threads }),
    ...(options.onWarning && { onWarning: options.onWarning }),
    findDone: async (found) => {
      signal?.throwIfAborted()
      const collected = await collectDone(file, found, records)
      warnings.push(...collected.warnings)
      if (strict) refuseNonFinite(file.plan, collected)
      return collected
    },
  })
  let checksums: ReadonlyMap<string, string> | undefined
  try {
    await records.remove()
    const { onChecksums: onProgress } = options
    checksums = await output.complete({ ...(onProgress && { onProgress }), ...(signal && { signal }) })
  } catch (error) {
    await keep(output, options)
    throw error
  }
  for (const warning of new Set(warnings)) options.onWarning?.(warning)
  return {
    ...result,
    resumedTensors: 0,
    nonFinite: output.nonFinite().map(([index, counts]) => nameNonFinite(file.plan, index, counts)),
    ...(checksums && { checksums: Object.fromEntries(checksums) }),
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** Sums up what parts have said. @throws MergeError 'parts-missing', 'parts-lost', 'output-of-parts' */
async function collectDone(
  { id, plan }: PlanFile,
  { partial }: OutputPlace,
  records: PartRecords,
): Promise<Done & Pick<PartRecord, 'warnings'>> {
  const there = await records.planThere()
  if (there === undefined) {
    // The parts were collected before, and it did not get its name.
    const known = await findFinished(partial, plan, id)
    if (known.finished.length === plan.tensors.length && plan.tensors.length > 0) return { ...known, warnings: [] }
  }
  if (there !== undefined && there !== id)
    throw new MergeError({ code: 'output-of-parts', folder: partial, isOther: true })
  const [best = { of: 0, missing: [] }] = statesOf(await records.listDone())
  if (best.of === 0 || best.missing.length > 0)
    throw new MergeError({ code: 'parts-missing', folder: partial, of: best.of, missing: best.missing })
  for (const file of listDataFiles(plan))
    if (!(await isLaidOut(join(partial, file.name), file)))
      throw new MergeError({ code: 'parts-lost', folder: partial, file: file.name })
  const nonFinite = new Map<number, NonFiniteCounts>()
  const warnings: string[] = []
  for (let part = 1; part <= best.of; part++) {
    const { record } = (await records.read({ part, of: best.of }))!
    warnings.push(...record.warnings)
    for (const [tensor, counts] of record.nonFinite) nonFinite.set(tensor, addCounts(nonFinite.get(tensor), counts))
  }
  return { finished: [...plan.tensors.keys()], nonFinite: [...nonFinite].toSorted(([a], [b]) => a - b), warnings }
}

/** As a merge in one run does at the first such tensor. @throws MergeError 'values-not-finite' */
function refuseNonFinite(plan: MergePlan, { nonFinite: [first] }: Done): void {
  if (first !== undefined)
    throw new MergeError({ code: 'values-not-finite', found: describeNonFinite(nameNonFinite(plan, ...first)) })
}

/** What ended it is what has to be mended. */
async function keep(output: OutputFolder, { onWarning }: FinishOptions): Promise<void> {
  await output
    .suspend('always')
    .catch((cause: unknown) => onWarning?.(`${output.partial} could not be put in order (${systemReason(cause)})`))
}
