import { randomUUID } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { readdir, rename, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MergeError } from '../errors.ts'
import { ggufFileName } from '../plan/output-names.ts'
import { checkEntries } from './check-output.ts'
import { journalName, journalNames } from './journal.ts'
import { isBesides, type OutputPlace, replacedPrefix } from './output-place.ts'
import { removePath } from './remove-path.ts'
import { systemReason } from '@mk/errors'

export interface PublishOptions {
  /** Replace an output that is there. */
  readonly overwrite: boolean
  /** Called before the step after which the output is there and nothing is left to do, if there is one such step. */
  readonly beforeLast?: () => Promise<void>
}

/**
 * Gives an output that is complete its final name. Killed at any moment, the next call goes on from there. A folder that is to be
 * replaced steps aside first and is deleted last, so that at any moment one of the two is whole.
 * @param complete the folder of that output
 * @throws MergeError 'output-exists', 'output-strangers', 'output-unwritable'; what is complete then still is, and what was at its place is back
 */
export async function publish(
  place: OutputPlace,
  complete: string,
  { overwrite, beforeLast = async () => {} }: PublishOptions,
): Promise<void> {
  try {
    if (place.isInside) return await moveOut(place, complete, { overwrite, beforeLast })
    const isReplacing = await checkEntries(place, overwrite)
    for (const name of journalNames) await removePath(join(complete, name))
    if (isReplacing) return await replace(place, complete)
    const { ino } = await stat(complete)
    await beforeLast()
    await giveName(complete, place.out, ino)
  } catch (cause) {
    if (cause instanceof MergeError) throw cause
    throw new MergeError({ code: 'output-unwritable', folder: place.out, reason: systemReason(cause) }, { cause })
  }
}

/** Takes the place of an empty folder, too. @param number of the folder, by which it is known under any name */
async function giveName(complete: string, out: string, number: number): Promise<void> {
  try {
    // Unlike other systems, Windows renames nothing to the name of an empty folder.
    await rename(complete, out).catch(async (error: NodeJS.ErrnoException) => {
      if (!['EEXIST', 'EPERM', 'ENOTEMPTY'].includes(error.code ?? '') || !existsSync(out)) throw error
      await rmdir(out)
      await rename(complete, out)
    })
  } catch (error) {
    // A merge of the same has been faster to do the last step.
    if (statSync(out, { throwIfNoEntry: false })?.ino !== number) throw error
  }
}

async function replace(place: OutputPlace, complete: string): Promise<void> {
  const { out, around } = place
  const replaced = join(around, `${replacedPrefix(place)}${randomUUID().slice(0, 8)}`)
  await rename(out, replaced)
  try {
    await rename(complete, out)
  } catch (error) {
    await rename(replaced, out)
    throw error
  }
}

/** What makes a folder a model. */
const lastNames: readonly string[] = ['config.json', ggufFileName]

/**
 * Entry by entry, config.json or the GGUF last: until then no reader takes the folder for a model. As long as the journal is there, what is in the
 * output folder is old.
 */
async function moveOut(
  place: OutputPlace,
  complete: string,
  { overwrite, beforeLast }: Required<PublishOptions>,
): Promise<void> {
  const { out } = place
  if (existsSync(join(complete, journalName))) {
    await checkEntries(place, overwrite)
    const old = (await readdir(out)).filter((name) => !isBesides(place, name))
    for (const name of [...lastNames, ...old]) await removePath(join(out, name))
    for (const name of journalNames.toReversed()) await removePath(join(complete, name))
  }
  const isLast = (name: string) => Number(lastNames.includes(name))
  const names = (await readdir(complete)).toSorted((a, b) => isLast(a) - isLast(b))
  for (const name of names) {
    if (name === names.at(-1)) await beforeLast()
    await rename(join(complete, name), join(out, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' || !existsSync(join(out, name))) throw error
    })
  }
  await rmdir(complete).catch(() => {})
}
