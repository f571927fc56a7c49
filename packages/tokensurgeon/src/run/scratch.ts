import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, open, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { systemReason } from '@mk/errors'
import { SurgeonError } from '../errors.ts'
import type { RowFile } from './task.ts'

/** A folder for rows that are computed before they are written, beside the output. */
export interface Scratch {
  readonly folder: string
  /** What an earlier run has finished here by the same inputs and settings, so that it need not be computed again. */
  readonly finished: string | undefined
  /** Makes a file for rows. @throws SurgeonError 'surgeon-scratch' where there is no room */
  create(name: string, rows: number, width: number): Promise<RowFile>
  /** Deletes a file that is not needed any more. */
  remove(file: RowFile): Promise<void>
  /** Notes that all is done, with what has to be known of it. */
  finish(facts: string): Promise<void>
  discard(): Promise<void>
}

const factsFile = 'finished.json'

/**
 * Opens the folder of a run, and deletes those that other runs have left for the same output.
 * @param identity what rows depend on: the same gives the same rows
 * @param out where the output is to be; absent: the folder is in that for temporary files
 */
export async function openScratch(identity: string, out: string | undefined): Promise<Scratch> {
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, 16)
  const place = placeOf(out)
  const folder = join(place.folder, `${place.prefix}${hash}`)
  try {
    for (const name of out === undefined ? [] : listFolder(place.folder))
      if (name.startsWith(place.prefix) && name !== basename(folder))
        await rm(join(place.folder, name), { recursive: true, force: true })
    const known = join(folder, factsFile)
    const finished = existsSync(known) ? await readFile(known, 'utf8') : undefined
    if (finished === undefined) await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    return {
      folder,
      finished,
      async create(name, rows, width) {
        const path = join(folder, name)
        await checkRoom(folder, 4 * rows * width)
        const handle = await open(path, 'w')
        await handle.truncate(4 * rows * width)
        await handle.close()
        return { path, rows, width }
      },
      remove: ({ path }) => rm(path, { force: true }),
      finish: (facts) => writeFile(known, facts),
      discard: () => rm(folder, { recursive: true, force: true }),
    }
  } catch (cause) {
    throw new SurgeonError({ code: 'surgeon-scratch', folder, reason: systemReason(cause) }, { cause })
  }
}

/** Beside the output, or in it where nothing may lie beside it, under a name that a merge knows to be one of its own. */
function placeOf(out: string | undefined): { readonly folder: string; readonly prefix: string } {
  if (out === undefined) return { folder: tmpdir(), prefix: `mk-tokensurgeon-${process.pid}-` }
  const whole = resolve(out)
  return { folder: dirname(whole), prefix: `.${basename(whole)}.partial-rows-` }
}

const listFolder = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder) : [])

async function checkRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < bytes)
    throw new SurgeonError({
      code: 'surgeon-scratch',
      folder,
      reason: `${bytes} bytes are needed, and ${bavail * bsize} are free`,
    })
}
