import { isSystemError } from '@mk/errors'
import { type FileStore, joinPath } from '@mk/source'
import type { CheckpointFile } from '../checkpoint.ts'
import { fileRole } from './file-roles.ts'
import { findDisguise } from './disguise.ts'
import { reading, readingIfPresent } from './read-file.ts'
import { selectCopied } from './select-copied.ts'

/** Folders in a model's folder that are looked into, one in another. */
const deepest = 3
/** Entries looked at in all; a model's folder has a few dozen. */
const mostEntries = 10_000

export interface ListedFiles {
  readonly files: readonly CheckpointFile[]
  readonly notes: readonly string[]
}

/**
 * Lists the small files of a model's folder that an output may copy, as paths inside it, in alphabetical order. Python modules
 * are among them where the model brings code of its own.
 */
export async function listFiles(
  store: FileStore,
  folder: string,
  config: Readonly<Record<string, unknown>> | undefined,
): Promise<ListedFiles> {
  const { found, closed } = await walk(store, folder)
  const hasOwnCode = config?.['auto_map'] !== undefined || found.some(({ name }) => /^tokenization_\w+\.py$/.test(name))
  const { files, left } = selectCopied(found, hasOwnCode)
  const described = await Promise.all(
    files.map(async (file): Promise<CheckpointFile> => {
      const disguise = await lookInto(store, joinPath(folder, file.name))
      return disguise === undefined ? file : { ...file, disguise }
    }),
  )
  return {
    files: described,
    notes: [...left, ...closed.map((name) => `${name} may not be looked into, and is left out`)].map(
      (text) => `${folder}: ${text}`,
    ),
  }
}

/** What may not be read now will not be copied either, and is named there if it is to be. */
const lookInto = (store: FileStore, file: string): Promise<string | undefined> =>
  reading(file, () =>
    findDisguise(store, file).catch((error: unknown) => {
      if (isSystemError(error) && ['EACCES', 'EPERM', 'ENOENT'].includes(error.code)) return undefined
      throw error
    }),
  )

interface FoundFile {
  readonly name: string
  readonly byteCount: number
}

interface Walked {
  readonly found: readonly FoundFile[]
  /** Folders that the user may not read, such as lost+found. */
  readonly closed: readonly string[]
}

/** Lists files, those that are linked to included; folders that nothing is copied from are not looked into. */
async function walk(store: FileStore, folder: string): Promise<Walked> {
  const found: FoundFile[] = []
  const closed: string[] = []
  const inFolder = (path: string) => joinPath(folder, path)
  let entries = 0
  const visit = async (under: string, depth: number): Promise<void> => {
    const names = await reading(inFolder(under), () => store.list(inFolder(under))).catch((error: unknown) => {
      const { cause } = error as { readonly cause?: NodeJS.ErrnoException }
      if (depth === 0 || (cause?.code !== 'EACCES' && cause?.code !== 'EPERM')) throw error
      closed.push(under)
      return []
    })
    for (const name of names.toSorted()) {
      if (++entries > mostEntries) return
      const path = under + name
      const facts = await readingIfPresent(inFolder(path), () => store.stat(inFolder(path)))
      if (facts?.kind === 'file') found.push({ name: path, byteCount: facts.byteCount })
      else if (facts?.kind === 'folder' && depth < deepest && fileRole(`${path}/x`) !== undefined)
        await visit(`${path}/`, depth + 1)
    }
  }
  await visit('', 0)
  return { found: found.toSorted((a, b) => (a.name < b.name ? -1 : 1)), closed }
}
