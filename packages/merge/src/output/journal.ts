import { open, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ifPresent } from '@mk/errors'
import { readBytes } from '@mk/safetensors/node'
import { MergeError } from '../errors.ts'
import { listDataFiles } from '../plan/file-pieces.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import type { NonFiniteByTensor } from '../run/non-finite.ts'
import type { WeightsByNorm } from '../run/weights-by-norm.ts'
import { formatChecked, parseChecked } from './checked-json.ts'
import { isLaidOut } from './data-files.ts'

/** The state of a merge that is under way, in its folder: what is done. */
export interface Journal {
  readonly identity: string
  /** Indices of tensors whose elements are on the disk. */
  readonly finished: readonly number[]
  /** Of those, what is infinite or NaN in them. */
  readonly nonFinite: NonFiniteByTensor
  /** Weights by norm, once they are counted. */
  readonly weights?: readonly WeightsByNorm[]
  /** Files of weights that share the blocks of an input's. */
  readonly shared?: readonly number[]
}

/** What need not be done again. */
export type Done = Pick<Journal, 'finished' | 'nonFinite' | 'weights' | 'shared'>
const nothing: Done = { finished: [], nonFinite: [] }

export const journalName = 'journal.json'
const newName = `${journalName}.new`
export const journalNames = [journalName, newName] as const

/** Writes it aside and to the disk, then gives it its name: whatever happens, there is a whole one. */
export async function writeJournal(folder: string, journal: Journal): Promise<void> {
  const handle = await open(join(folder, newName), 'w')
  try {
    await handle.writeFile(formatChecked(journal))
    if (journal.finished.length > 0 || journal.weights !== undefined) await handle.datasync()
  } finally {
    await handle.close()
  }
  await rename(join(folder, newName), join(folder, journalName))
}

/**
 * Finds what an earlier run has done.
 * @returns the tensors that need not be done again: those of an interrupted run of the same plan, if its files are still there
 * @throws MergeError 'output-exists' where the folder holds something else; what the operating system says
 */
export async function findFinished(folder: string, plan: MergePlan, identity: string): Promise<Done> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    // A file of somebody's own.
    if (error.code === 'ENOTDIR') return [folder]
    throw error
  })
  if (entries.every((name) => name === newName)) return nothing
  const text = entries.includes(journalName) ? await readText(folder) : undefined
  // Of a merge that is carried out in parts.
  if (text === undefined && entries.includes('.parts'))
    throw new MergeError({ code: 'output-of-parts', folder, isOther: false })
  if (text === undefined || !isJournal(text))
    throw new MergeError({ code: 'output-exists', folder, entryCount: entries.length })
  const journal = parseChecked<Journal>(text)
  if (journal?.identity !== identity || !journal.finished.every((index) => index < plan.tensors.length)) return nothing
  for (const file of listDataFiles(plan)) if (!(await isLaidOut(join(folder, file.name), file))) return nothing
  return journal
}

/** Reads the journal in a folder; undefined where there is none that is whole. */
export async function readJournal(folder: string): Promise<Journal | undefined> {
  const text = await ifPresent(readText(folder))
  return text === undefined ? undefined : parseChecked<Journal>(text)
}

const readText = async (folder: string): Promise<string> =>
  (await readBytes(join(folder, journalName), Infinity)).toString('utf8')

/** Also one that was cut off or has a wrong bit: it is of no use, but no file of somebody's own. */
const isJournal = (text: string): boolean => text === '' || (text.includes('"identity"') && text.includes('"finished"'))
