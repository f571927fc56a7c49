import { existsSync } from 'node:fs'
import { readdir, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { MergeError } from '../errors.ts'
import { writeReason } from './write-reason.ts'

/**
 * Gives what is complete its final name. A folder that is to be replaced steps aside first and is deleted last, so that at
 * any moment one of the two is whole.
 * @throws MergeError 'output-unwritable'; a folder that was to be replaced is then back in its place
 */
export async function publish(
  partial: string,
  out: string,
  { overwrite }: { readonly overwrite: boolean },
): Promise<void> {
  try {
    if (dirname(partial) === out) return await moveOut(partial, out)
    if (!existsSync(out)) return await rename(partial, out)
    if (!overwrite) await rmdir(out)
    await replace(partial, out)
  } catch (cause) {
    throw new MergeError({ code: 'output-unwritable', folder: out, reason: writeReason(cause) }, { cause })
  }
}

async function replace(partial: string, out: string): Promise<void> {
  if (!existsSync(out)) return await rename(partial, out)
  const replaced = join(dirname(out), `.${basename(out)}.replaced-${process.pid}`)
  await rename(out, replaced)
  try {
    await rename(partial, out)
  } catch (error) {
    await rename(replaced, out)
    throw error
  }
  await rm(replaced, { recursive: true, force: true })
}

/** Entry by entry, config.json last: until then no reader takes the folder for a model. */
async function moveOut(partial: string, out: string): Promise<void> {
  const old = (await readdir(out)).filter((name) => name !== basename(partial))
  for (const name of ['config.json', ...old]) await rm(join(out, name), { recursive: true, force: true })
  const isLast = (name: string) => Number(name === 'config.json')
  for (const name of (await readdir(partial)).toSorted((a, b) => isLast(a) - isLast(b)))
    await rename(join(partial, name), join(out, name))
  await rmdir(partial)
}
