import { constants, existsSync, fdatasyncSync } from 'node:fs'
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ifPresent } from '@mk/errors'
import { MergeError } from '../errors.ts'
import { layOut } from '../output/data-files.ts'
import { journalName, readJournal } from '../output/journal.ts'
import { makeFolder } from '../output/make-folder.ts'
import { completeFolder, type OutputPlace } from '../output/output-place.ts'
import type { PlanIdentity } from '../output/plan-identity.ts'
import { preparing, writing } from '../output/system-errors.ts'
import { listDataFiles } from '../plan/file-pieces.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import type { NonFiniteCounts } from '../run/non-finite.ts'
import type { RunningOutput } from '../run/run-tensors.ts'
import { openPartRecords, type PartRecord, type PartRecords, recordsName } from './part-records.ts'
import type { PartNumber, PlannedPart } from './partition.ts'

/** How long finished tensors may go unrecorded: what a part that was killed does again at most. */
const recordIntervalMs = 5000

/** The output of a part while it is written: a share of the files of an output that others write to as well. */
export interface PartFolder extends RunningOutput {
  /** Where the output grows. */
  readonly partial: string
  /** Says that the part is done. */
  complete(): Promise<void>
  /** Ends before that: what is finished is said, for the next try. @returns how many tensors of the part are */
  suspend(): Promise<number>
}

/** A part, and the plan that its tensors alone are of. */
export interface PartOfPlan {
  readonly part: PlannedPart
  readonly id: string
  /** All of it. */
  readonly plan: MergePlan
  /** What was unusual so far. */
  readonly warnings: ReadonlySet<string>
}

/**
 * Joins the parts that are in the folder of an output, or is the first there: then gives its data files their size and headers, which others
 * may do at the same time.
 * @returns what is known of the part where it is done; undefined where all parts are, and the output only lacks its name
 * @throws MergeError 'output-of-parts', 'output-of-one-run', 'output-exists', 'output-unwritable', 'parts-lost'
 */
export async function openPartFolder(place: OutputPlace, of: PartOfPlan): Promise<PartFolder | PartRecord | undefined> {
  const { part, id, plan } = of
  const records = openPartRecords(place.partial, id)
  if ((await preparing(place.out, () => joinParts(place, records, id))) === 'complete') return undefined
  const known = await preparing(place.out, () => records.read(part))
  if (known?.isDone === true) return known.record
  await preparing(place.out, () => provideFiles(place.partial, records, of))
  const used = new Set(part.tensors.map(({ tensor }) => plan.tensors[tensor]!.file))
  const files = plan.files.map(({ name }) => join(place.partial, name))
  const handles: FileHandle[] = []
  await preparing(place.out, async () => {
    for (const index of used) handles.push(await open(files[index]!, 'r+'))
  })
  return createPartFolder({ partial: place.partial, files, handles, records, of, known: known?.record })
}

/** Checks whose folder it is, and says so where it is nobody's. */
async function joinParts(place: OutputPlace, records: PartRecords, id: string): Promise<'complete' | 'begun'> {
  const { partial } = place
  if (existsSync(completeFolder(place, partsIdentity(id)))) return 'complete'
  await makeFolder(partial)
  const entries = (await readdir(partial)).filter((name) => !name.endsWith('.new'))
  if (entries.includes(journalName)) {
    // All parts are done, and it is being finished.
    if ((await readJournal(partial))?.identity === id) return 'complete'
    throw new MergeError({ code: 'output-of-one-run', folder: partial })
  }
  if (entries.length > 0 && !entries.includes(recordsName))
    throw new MergeError({ code: 'output-exists', folder: partial, entryCount: entries.length })
  const there = await records.planThere()
  if (there === undefined) await records.begin()
  // Of two that began at once, one is the last.
  const now = there ?? (await records.planThere())
  if (now !== id) throw new MergeError({ code: 'output-of-parts', folder: partial, isOther: true })
  return 'begun'
}

/** Of an output that is made in parts: the plan file names all that it depends on. */
export const partsIdentity = (id: string): PlanIdentity => ({ elements: id, output: id, inputs: new Map() })

/** Nothing is done before all files are there, and none is made again after. */
async function provideFiles(partial: string, records: PartRecords, { plan, part }: PartOfPlan): Promise<void> {
  if (await records.isLaidOut()) {
    const used = new Set(part.tensors.map(({ tensor }) => plan.tensors[tensor]!.file))
    for (const index of used) {
      const { name, fileBytes } = plan.files[index]!
      if ((await ifPresent(stat(join(partial, name))))?.size !== fileBytes)
        throw new MergeError({ code: 'parts-lost', folder: partial, file: name })
    }
    return
  }
  for (const file of listDataFiles(plan)) {
    const handle = await open(join(partial, file.name), constants.O_RDWR | constants.O_CREAT, 0o666)
    try {
      await layOut(handle, file)
    } finally {
      await handle.close()
    }
  }
  await records.markLaidOut()
}

interface Opened {
  readonly partial: string
  readonly files: readonly string[]
  readonly handles: FileHandle[]
  readonly records: PartRecords
  readonly of: PartOfPlan
  readonly known: PartRecord | undefined
}

function createPartFolder({ partial, files, handles, records, of, known }: Opened): PartFolder {
  const { part, id, warnings: found } = of
  const number: PartNumber = { part: part.part, of: part.of }
  const own = part.tensors.map(({ tensor }) => tensor)
  // Tensors of the part are counted from its first.
  const indexOf = new Map(own.map((tensor, index) => [tensor, index]))
  const finished = new Set((known?.finished ?? []).flatMap((tensor) => indexOf.get(tensor) ?? []))
  const nonFinite = new Map((known?.nonFinite ?? []).map(([tensor, counts]) => [indexOf.get(tensor)!, counts]))
  const earlier = known?.warnings ?? []
  let recordedCount = finished.size
  let recordedAt = performance.now()
  let recording: Promise<void> = Promise.resolve()
  const inOrder = () => [...nonFinite].toSorted(([a], [b]) => a - b)
  const record = (isDone: boolean) =>
    writing(partial, async () => {
      const finishedNow = [...finished]
      for (const { fd } of handles) fdatasyncSync(fd)
      await records.write(
        {
          plan: id,
          ...number,
          finished: finishedNow.map((index) => own[index]!).toSorted((a, b) => a - b),
          nonFinite: inOrder().map(([index, counts]) => [own[index]!, counts] as const),
          warnings: [...new Set([...earlier, ...found])],
        },
        isDone,
      )
      recordedCount = finishedNow.length
    })
  const close = async () => {
    await Promise.all(handles.splice(0).map((handle) => handle.close().catch(() => {})))
  }
  return {
    partial,
    files,
    finished: new Set(finished),
    nonFinite: inOrder,
    finish(tensor: number, counts?: NonFiniteCounts) {
      finished.add(tensor)
      if (counts !== undefined) nonFinite.set(tensor, counts)
      if (performance.now() - recordedAt > recordIntervalMs) {
        recordedAt = performance.now()
        recording = recording.then(() => record(false))
      }
      return recording
    },
    async complete() {
      await recording
      await record(true)
      await close()
    },
    async suspend() {
      await recording.catch(() => {})
      // Where it can't be written, the one before still is.
      if (finished.size > recordedCount) await record(false).catch(() => {})
      await close()
      return recordedCount
    },
  }
}
