import { fdatasyncSync } from 'node:fs'
import { copyFile, type FileHandle, open, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { layoutFile } from '@mk/safetensors'
import { MergeError } from '../errors.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { makeFolder } from './make-folder.ts'
import { checkOutput, checkOutputPlace, type OutputOptions, partialFolder } from './check-output.ts'
import { findFinished, journalName, type NonFiniteByTensor, readPlanIdentity, writeJournal } from './journal.ts'
import type { NonFiniteCounts } from '../run/non-finite.ts'
import { publish } from './publish.ts'
import { writeReason } from './write-reason.ts'

/** How long finished tensors may go unrecorded: what an interrupted merge does again at most. */
const journalIntervalMs = 5000

/**
 * A merge's output: written into a partial folder, which takes its final name when everything is in it. A journal there says
 * which tensors are done, so that a merge that was killed goes on; one that failed leaves nothing (docs/decisions/partial-folder-and-journal.md).
 */
export interface OutputFolder {
  /** Where it grows. */
  readonly partial: string
  /** Paths of the data files by their index in the plan, laid out to their full size. */
  readonly files: readonly string[]
  /** Tensors that an earlier, interrupted run of the same plan has finished. */
  readonly finished: ReadonlySet<number>
  /** What is infinite or NaN in the tensors that are finished, by this run or an earlier one; in their order. */
  nonFinite(): NonFiniteByTensor
  /** To be called when all of a tensor's elements are written. */
  finish(tensor: number, nonFinite?: NonFiniteCounts): Promise<void>
  /** Writes the small files and gives the folder its final name. */
  complete(): Promise<void>
  /** Deletes what was written. */
  discard(): Promise<void>
  /** Leaves what was written for a later run. */
  suspend(): Promise<void>
}

/**
 * Makes the partial folder with its data files at full size, or takes up the one that an interrupted run has left.
 * @throws MergeError 'output-exists', 'output-is-input', 'output-busy' or 'output-unwritable' before anything is overwritten; 'write-failed'
 */
export async function openOutputFolder(plan: MergePlan, options: OutputOptions): Promise<OutputFolder> {
  await checkOutput(options)
  checkOutputPlace(plan, options.out)
  const out = resolve(options.out)
  const partial = partialFolder(out)
  const identity = await readPlanIdentity(plan)
  const done = await findFinished(partial, plan, identity)
  const finished = new Set(done.finished)
  const nonFinite = new Map(done.nonFinite.filter(([tensor]) => finished.has(tensor) && tensor < plan.tensors.length))
  const resumed = finished.size > 0
  const files = plan.files.map(({ name }) => join(partial, name))
  const handles: FileHandle[] = []
  const record = () =>
    writeJournal(partial, { identity, process: process.pid, finished: [...finished], nonFinite: [...nonFinite] })
  try {
    if (!resumed) await rm(partial, { recursive: true, force: true })
    await makeFolder(partial)
  } catch (cause) {
    throw new MergeError({ code: 'output-unwritable', folder: options.out, reason: writeReason(cause) }, { cause })
  }
  try {
    await record()
    for (const [index, file] of files.entries()) {
      const handle = await open(file, resumed ? 'r+' : 'w+')
      handles.push(handle)
      if (!resumed) await layOut(handle, plan, index)
    }
  } catch (cause) {
    await closeQuietly(handles)
    if (!resumed) await rm(partial, { recursive: true, force: true }).catch(() => {})
    throw writeFailed(partial, cause)
  }

  let recordedAt = performance.now()
  let recording: Promise<void> = Promise.resolve()
  const recordDurably = () =>
    attempt(partial, () => {
      for (const { fd } of handles) fdatasyncSync(fd)
      return record()
    })

  return {
    partial,
    files,
    finished: new Set(finished),
    nonFinite: () => [...nonFinite].toSorted(([a], [b]) => a - b),
    finish(tensor, found) {
      finished.add(tensor)
      if (found !== undefined) nonFinite.set(tensor, found)
      if (performance.now() - recordedAt > journalIntervalMs) {
        recordedAt = performance.now()
        recording = recording.then(recordDurably)
      }
      return recording
    },
    async complete() {
      await recording
      await attempt(partial, async () => {
        for (const handle of handles) await handle.close()
        await writeSmallFiles(plan, partial)
        await rm(join(partial, journalName), { force: true })
      })
      await publish(partial, out, options)
    },
    async discard() {
      await recording.catch(() => {})
      await closeQuietly(handles)
      await rm(partial, { recursive: true, force: true })
    },
    async suspend() {
      await recording.catch(() => {})
      await recordDurably().finally(() => closeQuietly(handles))
    },
  }
}

async function layOut(handle: FileHandle, { tensors, files }: MergePlan, index: number): Promise<void> {
  const { metadata, fileBytes } = files[index]!
  const { header } = layoutFile(
    tensors.filter(({ file }) => file === index),
    metadata,
  )
  for (let written = 0; written < header.length;)
    written += (await handle.write(header, written, header.length - written, written)).bytesWritten
  await handle.truncate(fileBytes)
}

async function closeQuietly(handles: readonly FileHandle[]): Promise<void> {
  await Promise.all(handles.map((handle) => handle.close().catch(() => {})))
}

async function writeSmallFiles({ copies, documents }: MergePlan, folder: string): Promise<void> {
  for (const { name, from } of copies) {
    await makeFolder(dirname(join(folder, name)))
    await copyFile(from, join(folder, name))
  }
  for (const { name, text } of documents) await writeFile(join(folder, name), text)
}

async function attempt(folder: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (cause) {
    throw writeFailed(folder, cause)
  }
}

function writeFailed(folder: string, cause: unknown): MergeError {
  const file = (cause as NodeJS.ErrnoException).path ?? folder
  return new MergeError({ code: 'write-failed', file, reason: writeReason(cause) }, { cause })
}
