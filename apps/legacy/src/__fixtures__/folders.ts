import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** Reads the bytes of every file of an output folder, by name; in the card the folder's own name is `OUT`. */
export const filesOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .toSorted()
      .map((name) => [name, contentOf(folder, name)]),
  )

function contentOf(folder: string, name: string): string {
  const bytes = readFileSync(join(folder, name))
  return name === 'README.md' ? bytes.toString('utf8').replaceAll(basename(folder), 'OUT') : bytes.toString('base64')
}
