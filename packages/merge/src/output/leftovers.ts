import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { completePrefix, type OutputPlace, replacedPrefix } from './output-place.ts'
import { removePath } from './remove-path.ts'
import { systemReason } from '@mk/errors'

/** Lists folders that are complete and only lack their final name: what a merge has left that was killed in the last step. */
export async function findComplete(place: OutputPlace): Promise<readonly string[]> {
  const names = await readNames(place)
  return names.filter((name) => name.startsWith(completePrefix(place))).map((name) => join(place.around, name))
}

/** Brings back an output that stepped aside for one which never came. */
export async function restoreReplaced(place: OutputPlace): Promise<void> {
  if (existsSync(place.out)) return
  const [replaced] = (await readNames(place)).filter((name) => name.startsWith(replacedPrefix(place)))
  if (replaced !== undefined) await rename(join(place.around, replaced), place.out)
}

/** Deletes what a killed merge was about to delete. What can't be deleted is told, since the output does not depend on it. */
export async function removeLeftovers(place: OutputPlace, warn: (message: string) => void): Promise<void> {
  const begins = [
    `${place.prefix}discarded-`,
    `${place.prefix}lock.`,
    ...(existsSync(place.out) ? [replacedPrefix(place)] : []),
  ]
  for (const name of await readNames(place)) {
    if (!begins.some((begin) => name.startsWith(begin))) continue
    const path = join(place.around, name)
    await removePath(path).catch((cause: unknown) =>
      warn(`${path} could not be deleted (${systemReason(cause)}); it is of no use any more`),
    )
  }
}

/** Deletes a folder, which first gets a name that tells so: a kill in between leaves nothing that looks like another thing. */
export async function discard(place: OutputPlace, folder: string): Promise<void> {
  const discarded = join(place.around, `${place.prefix}discarded-${randomUUID().slice(0, 8)}`)
  const isThere = await rename(folder, discarded).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
  if (isThere) await removePath(discarded)
}

/** A folder that may be written to but not listed has no leftovers that could be found. */
const readNames = ({ around }: OutputPlace): Promise<readonly string[]> => readdir(around).catch(() => [])
