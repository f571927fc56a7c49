import { type FileStore, joinPath } from '@mk/source'
import { CheckpointError } from '../errors.ts'
import { readIndex } from '../files/read-file.ts'
import type { HubClient } from './hub-client.ts'
import { listGguf, listModel } from './list-model.ts'
import type { HubFile } from './listed-file.ts'
import { type HubSelection, selectHubFiles, type WantedFiles } from './select-hub-files.ts'

/** What the hub has of a model, and what of it is needed. */
export interface FoundModel {
  readonly commit: string
  readonly listed: ReadonlyMap<string, HubFile>
  readonly selection: HubSelection
  readonly notes: readonly string[]
}

/** Asks the hub for a model's commit and files, and selects those that a merge needs. @throws CheckpointError `gguf-several`, `hub-…` */
export async function findAtHub(client: HubClient, revision: string, wanted: WantedFiles): Promise<FoundModel> {
  const { id } = client
  const commit = /^[0-9a-f]{40}$/.test(revision) ? revision : await client.findCommit(revision)
  const { files: listed, notes } =
    wanted.gguf === undefined
      ? await listModel(client, commit, wanted.purpose === 'model')
      : await listGguf(client, commit, wanted)
  const selection = selectHubFiles([...listed.keys()], wanted)
  if (selection.ggufs.length > 1) throw new CheckpointError({ code: 'gguf-several', model: id, files: selection.ggufs })
  if (selection.format === undefined)
    throw new CheckpointError({ code: 'hub-no-weights', id, purpose: wanted.purpose, found: [...listed.keys()] })
  return { commit, listed, selection, notes }
}

/** Lists all files of a selection, the shards that its index names among them. */
export async function withShards(
  store: FileStore,
  selection: HubSelection,
  folder: string,
): Promise<readonly string[]> {
  if (selection.index === undefined) return [...selection.small, ...selection.weights]
  const shardOf = await readIndex(store, joinPath(folder, selection.index))
  return [...selection.small, ...new Set(shardOf.values())]
}

/** Lists the weights among the files that a model needs. @throws CheckpointError where one is not at the hub */
export function weightsAmong(
  files: readonly string[],
  {
    id,
    listed,
    selection,
    wanted,
  }: Pick<FoundModel, 'listed' | 'selection'> & { readonly id: string; readonly wanted: WantedFiles },
): HubFile[] {
  return files
    .filter((name) => !selection.small.includes(name))
    .map((name) => {
      const file = listed.get(name)
      if (file !== undefined) return file
      throw wanted.gguf === undefined || name !== wanted.gguf
        ? new CheckpointError({ code: 'hub-shard-missing', id, index: selection.index ?? '', shard: name })
        : new CheckpointError({ code: 'hub-not-found', id, what: `file ${name}` })
    })
}
