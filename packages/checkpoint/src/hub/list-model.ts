import { fileRole } from '../files/file-roles.ts'
import { largestOther, selectCopied } from '../files/select-copied.ts'
import { forEachParallel } from '../for-each-parallel.ts'
import type { HubClient } from './hub-client.ts'
import type { HubFile } from './listed-file.ts'
import { folderOf, type WantedFiles } from './select-hub-files.ts'

/** Folders of a repository that are looked into; a model has one or two. */
const mostFolders = 24
/** Of a folder with more files none are settings. */
const mostFiles = 200
const parallelLists = 4

export interface ListedModel {
  /** Those at the top, weights included, and the small ones in folders; by name. */
  readonly files: ReadonlyMap<string, HubFile>
  readonly notes: readonly string[]
}

/**
 * Lists the files of a model that a merge may need: as from a folder of this machine, also those in subfolders that a loader or a
 * processor may read (`1_Pooling/config.json`, `tokenizer/…`, voices), except where these have weights of their own.
 * @param withFolders adapters have none that matter
 */
export async function listModel(client: HubClient, commit: string, withFolders: boolean): Promise<ListedModel> {
  const { files, folders } = await client.listFiles(commit)
  const wanted = withFolders ? folders.filter((folder) => fileRole(`${folder}/x`) !== undefined) : []
  const notes: string[] = []
  if (wanted.length > mostFolders)
    notes.push(`${client.id} has ${wanted.length} folders, of which ${mostFolders} were looked into`)
  const inside = new Map<string, readonly HubFile[]>()
  await forEachParallel(wanted.slice(0, mostFolders), parallelLists, async (folder) => {
    inside.set(folder, (await client.listFiles(commit, folder)).files)
  })
  const found = wanted.flatMap((folder): readonly HubFile[] => {
    const own = inside.get(folder) ?? []
    if (own.length <= mostFiles) return own
    notes.push(`${client.id}: ${folder}/ has ${own.length} files, more than settings are, and is left out`)
    return []
  })
  const { files: copied, left } = selectCopied(found, false)
  notes.push(...left.map((text) => `${client.id}: ${text}`))
  const names = new Set(copied.map(({ name }) => name))
  const all = [...files.filter(mayBeNeeded), ...found.filter(({ name }) => names.has(name))]
  return { files: new Map(all.map((file) => [file.name, file])), notes }
}

/** Lists the files of the folder that has a GGUF. */
export async function listGguf(client: HubClient, commit: string, wanted: WantedFiles): Promise<ListedModel> {
  const { files } = await client.listFiles(commit, folderOf(wanted))
  return { files: new Map(files.map((file) => [file.name, file])), notes: [] }
}

/** Archives and dumps are not fetched. */
const mayBeNeeded = ({ name, byteCount }: HubFile): boolean => fileRole(name) !== 'other' || byteCount <= largestOther
