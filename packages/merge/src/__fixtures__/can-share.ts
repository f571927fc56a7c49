import { constants, copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Tells whether files in a folder can share blocks. */
export function canShare(folder: string): boolean {
  const [from, to] = [join(folder, 'shared'), join(folder, 'sharing')]
  writeFileSync(from, 'any')
  try {
    copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE)
    return true
  } catch {
    return false
  } finally {
    for (const file of [from, to]) rmSync(file, { force: true })
  }
}
