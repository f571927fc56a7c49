import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Reads the bytes of every file of an output folder, by name. */
export const filesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .toSorted()
      .map((name) => [name, readFileSync(join(folder, name)).toString('base64')]),
  )
