import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder and those above it that are missing. Unlike Node's recursive mkdir it ends where the system says that a folder
 * which does exist does not, as in /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    mkdirSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const parent = dirname(path)
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code !== 'ENOENT' || parent === path || existsSync(parent)) throw error
    await makeFolder(parent)
    mkdirSync(path)
  }
}
