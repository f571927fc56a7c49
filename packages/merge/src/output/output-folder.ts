import { existsSync, fdatasyncSync, fstatSync, lstatSync } from 'node:fs'
import { type FileHandle, open, rename, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type FileLock, tryLock } from '@mk/checkpoint'
import { MergeError } from '../errors.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { outputNames } from '../plan/output-names.ts'
import type { RunningOutput } from '../run/run-tensors.ts'
import { checkEntries, checkOutput, checkOutputPlace, type OutputOptions } from './check-output.ts'
import { readChecksums, writeChecksums } from './card.ts'
import { type CompleteChecksums, startChecksums } from './checksums.ts'
import { isLaidOut, layOut, shareFile } from './data-files.ts'
import { openHashers } from './hashing/hashers.ts'
import { listDataFiles } from '../plan/file-pieces.ts'
import { findTakenFiles } from '../plan/taken-files.ts'
import { type Done, findFinished, journalName, readJournal, writeJournal } from './journal.ts'
import { discard, findComplete, removeLeftovers, restoreReplaced } from './leftovers.ts'
import { makeFolder } from './make-folder.ts'
import { completeFolder, findOutputPlace, type OutputPlace } from './output-place.ts'
import {
  checkPlannedFor,
  findChangedInput,
  type MergeCode,
  type PlanIdentity,
  readPlanIdentity,
} from './plan-identity.ts'
import { publish } from './publish.ts'
import { writeSmallFiles } from './small-files.ts'
import { preparing, writing } from './system-errors.ts'

/** How long finished tensors may go unrecorded: what an interrupted merge does again at most. */
const journalIntervalMs = 5000
/** How often to look whether the files still have the sizes that they were given: what somebody cuts off soon grows again, full of zeros. */
const sizesIntervalMs = 100

/**
 * A merge's output: written into a partial folder, which takes its final name when everything is in it. A journal there says
 * which tensors are done, so that a merge that ended early goes on (docs/decisions/partial-folder-and-journal.md).
 */
export interface OutputFolder extends RunningOutput {
  /** Where it grows. */
  readonly partial: string
  /**
   * Completes the checksums and gives the folder its final name.
   * @returns the checksums that the card has, by file; undefined where it has none
   * @throws MergeError 'input-changed', 'output-changed', 'output-lost', 'output-exists', 'output-unwritable', 'write-failed'; the reason of `signal`
   */
  complete(options?: CompleteChecksums): Promise<ReadonlyMap<string, string> | undefined>
  /** Ends before it is complete: deletes what was written. */
  discard(): Promise<void>
  /**
   * Ends before it is complete: leaves what was written for a later run.
   * @param orDiscard to delete it all the same where a later run could not go on: no tensor is finished, or an input has changed
   * @returns what the later run will find; undefined where it was deleted
   */
  suspend(orDiscard: 'or-discard' | 'always'): Promise<KeptOutput | undefined>
}

/** What a merge that ended early has left to go on from. */
export interface KeptOutput {
  readonly folder: string
  /** Of tensors that need not be done again. */
  readonly tensorCount: number
}

export interface OpenOptions extends OutputOptions {
  /** Whether a card, where there is one, gets the SHA-256 of the files of weights; it does if absent. */
  readonly checksums?: boolean
  /** Threads that compute them at most; 0: the calling one does. */
  readonly threads?: number
  readonly onWarning?: (message: string) => void
  /** Finds what need not be done again, instead of the journal alone. */
  readonly findDone?: (place: OutputPlace) => Promise<Done>
}

/**
 * Makes the partial folder with its small files, and its data files at full size, or takes up the one that an earlier run has left.
 * Until the folder is closed, no other merge gets it.
 * @throws MergeError 'output-…' before anything is overwritten; 'plan-outdated', 'copy-unreadable', 'write-failed'
 */
export async function openOutputFolder(
  plan: MergePlan,
  { code, ...options }: OpenOptions & { readonly code: MergeCode },
): Promise<OutputFolder> {
  return openOutputOf(
    plan,
    async () => {
      // First of all: what changes from now on is noticed, too.
      const identity = await readPlanIdentity(plan, code)
      await checkPlannedFor(plan)
      return identity
    },
    options,
  )
}

/** Opens the output of a plan whose identity somebody else knows, as `openOutputFolder` does. */
export async function openOutputOf(
  plan: MergePlan,
  identify: () => Promise<PlanIdentity>,
  options: OpenOptions,
): Promise<OutputFolder> {
  checkOutputPlace(plan, options.out)
  await checkOutput(options)
  const place = findOutputPlace(options.out, options.recipe)
  const identity = await identify()
  const lock = await lockOutput(place)
  try {
    return await openLocked({ plan, place, lock, options, identity })
  } catch (error) {
    await lock.release()
    throw error
  }
}

interface Opening {
  readonly plan: MergePlan
  readonly place: OutputPlace
  readonly lock: FileLock
  readonly options: OpenOptions
  readonly identity: PlanIdentity
}

async function lockOutput(place: OutputPlace): Promise<FileLock> {
  const { lock, owner } = await preparing(place.out, async () => {
    await makeFolder(place.around)
    return tryLock(join(place.around, `${place.prefix}lock`))
  })
  if (lock === undefined)
    throw new MergeError({
      code: 'output-busy',
      folder: place.out,
      process: owner.pid,
      ...(owner.host !== hostname() && { host: owner.host }),
    })
  return lock
}

async function openLocked(opening: Opening): Promise<OutputFolder> {
  const { plan, place, options, identity } = opening
  const complete = completeFolder(place, identity)
  // What has too long a name is to fail now, not in the end.
  await preparing(place.out, async () => lstatSync(complete, { throwIfNoEntry: false }))
  if (existsSync(complete)) return openComplete(opening, complete)
  for (const other of await findComplete(place)) await publish(place, other, options)
  await preparing(place.out, () => restoreReplaced(place))
  await removeLeftovers(place, warnTo(options))
  // Another merge may have come to its end since the check before.
  await checkEntries(place, options.overwrite)
  const { findDone = ({ partial }) => findFinished(partial, plan, identity.elements) } = options
  const done = await preparing(place.out, () => findDone(place))
  return openPartial(opening, { complete, done })
}

/** What an earlier run has completed only lacks its final name. */
async function openComplete({ plan, place, lock, options }: Opening, complete: string): Promise<OutputFolder> {
  // As far as the journal is still there.
  const { nonFinite = [], weights } = (await preparing(place.out, () => readJournal(complete))) ?? {}
  return {
    partial: complete,
    files: [],
    finished: new Set(plan.tensors.keys()),
    nonFinite: () => nonFinite,
    weights: () => weights,
    finish: async () => {},
    complete: async () => {
      const checksums = await preparing(place.out, () => readChecksums(complete))
      await publish(place, complete, { overwrite: options.overwrite, beforeLast: () => lock.release() })
      await removeLeftovers(place, warnTo(options))
      await lock.release()
      return checksums
    },
    discard: () => lock.release(),
    async suspend() {
      await lock.release()
      return { folder: complete, tensorCount: plan.tensors.length }
    },
  }
}

interface Begun {
  /** What `partial` is called between its last tensor and its final name. */
  readonly complete: string
  readonly done: Done
}

async function openPartial(opening: Opening, { complete, done }: Begun): Promise<OutputFolder> {
  const { plan, place, lock, options, identity } = opening
  const { partial } = place
  const finished = new Set(done.finished)
  const nonFinite = new Map(done.nonFinite)
  const isResumed = finished.size > 0 || done.weights !== undefined
  let { weights } = done
  /** With the numbers that are known once they are counted. */
  let written = plan
  const files = plan.files.map(({ name }) => join(partial, name))
  const dataFiles = listDataFiles(plan)
  const taken = findTakenFiles(plan)
  const shared = new Set(isResumed ? done.shared : [])
  const handles: FileHandle[] = []
  let recordedCount = 0
  const journal = () => ({
    identity: identity.elements,
    finished: [...finished],
    nonFinite: [...nonFinite],
    ...(weights && { weights }),
    ...(shared.size > 0 && { shared: [...shared] }),
  })
  const record = async () => {
    await checkHeld(lock, partial)
    const recorded = journal()
    await writeJournal(partial, recorded)
    recordedCount = recorded.finished.length
  }
  await preparing(options.out, async () => {
    if (!isResumed) await discard(place, partial)
    await makeFolder(partial)
  })
  try {
    await writing(partial, async () => {
      await record()
      await writeSmallFiles(plan, partial)
      const { mode } = await stat(join(partial, journalName))
      for (const [index, file] of dataFiles.entries()) {
        const from = isResumed ? undefined : taken.get(index)
        if (from !== undefined && (await shareFile({ from, to: files[index]!, mode }, file))) shared.add(index)
        const isThere = isResumed || shared.has(index)
        const handle = await open(files[index]!, isThere ? 'r+' : 'w+')
        handles.push(handle)
        if (!isThere) await layOut(handle, file)
      }
    })
  } catch (error) {
    await closeQuietly(handles)
    if (!isResumed) await discard(place, partial).catch(() => {})
    throw error
  }

  const card = options.checksums === false ? undefined : plan.documents.find(({ name }) => name === outputNames.card)
  // The input has just been read, and is in memory; what shares its blocks would come from the disk.
  const hashed = files.map((file, index) => (shared.has(index) ? taken.get(index)! : file))
  const checksums =
    card && startChecksums(plan, hashed, finished, (totalBytes) => openHashers(totalBytes, options.threads))
  let recordedAt = performance.now()
  let lookedAt = recordedAt
  const changed = (index: number) => new MergeError({ code: 'output-changed', file: files[index]! })
  const checkSizes = () => {
    const index = handles.findIndex(({ fd }, file) => fstatSync(fd).size !== dataFiles[file]!.fileBytes)
    if (index >= 0) throw changed(index)
  }
  let recording: Promise<void> = Promise.resolve()
  // What could not be brought to the disk once may be lost, whatever a second attempt says.
  let isOnDisk = true
  const recordDurably = () =>
    writing(partial, () => {
      isOnDisk = false
      for (const { fd } of handles) fdatasyncSync(fd)
      isOnDisk = true
      return record()
    })
  let isComplete = false
  const end = async () => {
    await recording.catch(() => {})
    await checksums?.close()
    await closeQuietly(handles)
  }

  return {
    partial,
    files,
    shared,
    finished: new Set(finished),
    weights: () => weights,
    keepWeights: (weighed) =>
      writing(partial, async () => {
        ;({ weights, plan: written } = weighed)
        await writeSmallFiles({ ...written, copies: [] }, partial)
        await record()
      }),
    nonFinite: () => [...nonFinite].toSorted(([a], [b]) => a - b),
    async finish(tensor, found) {
      finished.add(tensor)
      if (found !== undefined) nonFinite.set(tensor, found)
      checksums?.finished(tensor)
      const now = performance.now()
      if (now - lookedAt > sizesIntervalMs) {
        lookedAt = now
        checkSizes()
      }
      if (now - recordedAt > journalIntervalMs) {
        recordedAt = now
        recording = recording.then(recordDurably)
      }
      return recording
    },
    async complete(completing = {}) {
      await recording
      const sums = await checksums?.complete(completing)
      await checksums?.close()
      const file = await findChangedInput(identity)
      if (file !== undefined) throw new MergeError({ code: 'input-changed', file })
      for (const [index, dataFile] of dataFiles.entries())
        if (!(await isLaidOut(files[index]!, dataFile))) throw changed(index)
      await writing(partial, async () => {
        for (const handle of handles.splice(0)) await handle.close()
        if (sums !== undefined) await writeChecksums(partial, written, sums)
        await checkHeld(lock, partial)
        await rename(partial, complete)
        isComplete = true
        if (nonFinite.size > 0 || weights !== undefined) await writeJournal(complete, journal())
      })
      await publish(place, complete, { overwrite: options.overwrite, beforeLast: () => lock.release() })
      await removeLeftovers(place, warnTo(options))
      await lock.release()
      return sums
    },
    async discard() {
      await end()
      if (!isComplete && (await lock.isHeld())) await discard(place, partial)
      await lock.release()
    },
    async suspend(orDiscard) {
      await recording.catch(() => {})
      // Where it can't be written, the one before still is.
      if (!isComplete && isOnDisk && finished.size > recordedCount) await recordDurably().catch(() => {})
      await end()
      const isWorthless =
        !isComplete &&
        orDiscard === 'or-discard' &&
        (recordedCount === 0 || (await findChangedInput(identity)) !== undefined)
      if (isWorthless && (await lock.isHeld())) await discard(place, partial)
      await lock.release()
      if (isWorthless) return undefined
      return isComplete
        ? { folder: complete, tensorCount: plan.tensors.length }
        : { folder: partial, tensorCount: recordedCount }
    },
  }
}

const warnTo = ({ onWarning = () => {} }: OpenOptions) => onWarning

async function closeQuietly(handles: readonly FileHandle[]): Promise<void> {
  await Promise.all(handles.map((handle) => handle.close().catch(() => {})))
}

async function checkHeld(lock: FileLock, folder: string): Promise<void> {
  if (!(await lock.isHeld())) throw new MergeError({ code: 'output-lost', folder })
}
