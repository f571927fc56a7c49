import { createHash } from 'node:crypto'
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MergeError } from '../errors.ts'
import { type MergePlan, operationInputs } from '../plan/merge-plan.ts'
import { sourceFiles } from '@mk/source'
import type { NonFiniteCounts } from '../run/non-finite.ts'

/** The state of a merge that is under way, in its folder: what is done, and who does it. */
export interface Journal {
  readonly identity: string
  /** Of the process that writes, so that two do not write into one folder. */
  readonly process: number
  /** Indices of tensors whose elements are on the disk. */
  readonly finished: readonly number[]
  /** Of those, what is infinite or NaN in them. */
  readonly nonFinite: NonFiniteByTensor
}

/** Index of a tensor → its counts. */
export type NonFiniteByTensor = readonly (readonly [tensor: number, counts: NonFiniteCounts])[]

/** What need not be done again. */
export type Done = Pick<Journal, 'finished' | 'nonFinite'>
const nothing: Done = { finished: [], nonFinite: [] }

export const journalName = 'journal.json'
const newName = `${journalName}.new`

export async function writeJournal(folder: string, journal: Journal): Promise<void> {
  await writeFile(join(folder, newName), JSON.stringify(journal))
  await rename(join(folder, newName), join(folder, journalName))
}

/**
 * Finds what an earlier run has done.
 * @returns the tensors that need not be done again: those of an interrupted run of the same plan, if its files are still there
 * @throws MergeError 'output-busy' while another process writes there; 'output-exists' where the folder holds something else
 */
export async function findFinished(folder: string, plan: MergePlan, identity: string): Promise<Done> {
  const entries = await readdir(folder).catch(({ code }: NodeJS.ErrnoException): string[] =>
    code === 'ENOENT' ? [] : [folder],
  )
  if (entries.every((name) => name === newName)) return nothing
  const journal = entries.includes(journalName)
    ? parseJournal(await readFile(join(folder, journalName), 'utf8'))
    : undefined
  if (journal === undefined) throw new MergeError({ code: 'output-exists', folder, entryCount: entries.length })
  if (journal.process !== process.pid && isRunning(journal.process))
    throw new MergeError({ code: 'output-busy', folder, process: journal.process })
  if (journal.identity !== identity) return nothing
  const sizes = await Promise.all(
    plan.files.map(({ name }) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => -1,
      ),
    ),
  )
  return plan.files.every(({ fileBytes }, index) => sizes[index] === fileBytes) ? journal : nothing
}

/** Hashes the plan and the state (size, time of change) of the files it reads: two runs that agree in it write the same bytes. */
export async function readPlanIdentity(plan: MergePlan): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([plan.method, plan.seed, plan.files, plan.tensors]))
  const inputs = plan.tensors.flatMap(({ operation }) => operationInputs(operation))
  for (const file of sourceFiles(inputs.map(({ source }) => source))) {
    // That a file is gone is for the reader to report.
    const { size, mtimeMs } = await stat(file).catch(() => ({ size: -1, mtimeMs: -1 }))
    hash.update(`${file}\0${size}\0${mtimeMs}\0`)
  }
  return hash.digest('hex')
}

function parseJournal(text: string): Journal | undefined {
  try {
    const { identity, process, finished, nonFinite } = JSON.parse(text) as Partial<Journal>
    return typeof identity === 'string' && typeof process === 'number' && Array.isArray(finished)
      ? { identity, process, finished, nonFinite: Array.isArray(nonFinite) ? nonFinite.filter(isEntry) : [] }
      : undefined
  } catch {
    return undefined
  }
}

/** Of a tensor that is finished; what else there may be is not told. */
function isEntry(entry: unknown): entry is NonFiniteByTensor[number] {
  if (!Array.isArray(entry) || entry.length !== 2) return false
  const [tensor, counts] = entry as [unknown, Partial<NonFiniteCounts> | null]
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
  return (
    isCount(tensor) &&
    isCount(counts?.results) &&
    isCount(counts?.overflow) &&
    Array.isArray(counts?.inputs) &&
    counts.inputs.every(isCount)
  )
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
