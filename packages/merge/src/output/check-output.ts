import { accessSync, constants } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { sourceFiles } from '@mk/source'
import { MergeError } from '../errors.ts'
import { type MergePlan, plannedModels, plannedSources } from '../plan/merge-plan.ts'
import { existingParent } from './check-space.ts'
import { listStrangers } from './list-strangers.ts'
import { completePrefix, findOutputPlace, isBesides, isWithin, type OutputPlace, realPath } from './output-place.ts'
import { systemReason } from '@mk/errors'

/** The folder that an output is to become. */
export interface OutputOptions {
  readonly out: string
  /** Replace an output that is there. */
  readonly overwrite: boolean
  /** The file of the recipe, whose folder is no output. */
  readonly recipe?: string
}

/**
 * Checks that a folder can become the output, before anything is opened or written.
 * @throws MergeError 'output-unnamed', 'output-place', 'output-exists', 'output-strangers', 'output-unwritable'
 */
export async function checkOutput({ out, overwrite, recipe }: OutputOptions): Promise<void> {
  const place = findOutputPlace(out, recipe)
  const isPublishing =
    place.isInside && (await readEntries(place.out)).some((name) => name.startsWith(completePrefix(place)))
  if (!isPublishing) await checkEntries(place, overwrite)
  try {
    accessSync(existingParent(dirname(place.partial)), constants.W_OK)
  } catch (cause) {
    throw new MergeError({ code: 'output-unwritable', folder: out, reason: systemReason(cause) }, { cause })
  }
}

/**
 * Checks that nothing is in the place of an output but what it may replace.
 * @returns whether there is an output to replace
 * @throws MergeError 'output-exists', 'output-strangers', 'output-unwritable'
 */
export async function checkEntries(place: OutputPlace, overwrite: boolean): Promise<boolean> {
  const { out } = place
  const entries = (await readEntries(out)).filter((name) => !isBesides(place, name))
  if (entries.length === 0) return false
  if (!overwrite) throw new MergeError({ code: 'output-exists', folder: out, entryCount: entries.length })
  const names = await listStrangers(out, entries)
  if (names.length > 0) throw new MergeError({ code: 'output-strangers', folder: out, names })
  return true
}

/** Checks that no input is in the way. @throws MergeError 'output-is-input' where writing to `out` would replace an input or put files among its own */
export function checkOutputPlace(plan: MergePlan, out: string): void {
  const place = findOutputPlace(out)
  const targets = [place.out, place.partial]
  const sources = plannedSources(plan)
  const folders = plannedModels(plan).flatMap(({ folder }) => (folder === undefined ? [] : [folder]))
  for (const input of new Set([...folders, ...sourceFiles(sources), ...plan.copies.map(({ from }) => from)])) {
    const path = realPath(input)
    if (targets.some((target) => isWithin(path, target)) || (folders.includes(input) && isWithin(place.out, path))) {
      throw new MergeError({ code: 'output-is-input', folder: out, input })
    }
  }
}

const readEntries = (folder: string): Promise<readonly string[]> =>
  readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw new MergeError({ code: 'output-unwritable', folder, reason: systemReason(cause) }, { cause })
  })
