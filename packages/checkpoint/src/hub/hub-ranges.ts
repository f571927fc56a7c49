import { join } from 'node:path'
import { CheckpointError } from '../errors.ts'
import { openCachedModel } from './hub-cache.ts'
import { createHubClient, type HubClient } from './hub-client.ts'
import { type HubOptions, readHubSettings } from './hub-settings.ts'
import type { HubFile } from './listed-file.ts'
import { readRange } from './ranged-response.ts'

/** A file of a repository at a commit. */
export interface HubPlace {
  readonly id: string
  readonly commit: string
  /** Its path in the repository. */
  readonly file: string
}

/** Files of the hub that are read where they are, by ranges. */
export interface HubRanges {
  /** The folder of the cache, which nothing of this is kept in. */
  readonly cacheFolder: string
  /** Gives the path that a file has in the cache if it is there. @throws `hub-id` */
  cachedPath(place: HubPlace): string
  /** @throws `hub-…` */
  byteCount(place: HubPlace): Promise<number>
  /** Reads bytes [byteStart, byteEnd). @throws `hub-…` */
  read(place: HubPlace, byteStart: number, byteEnd: number): Promise<Uint8Array>
}

/** Opens the hub for reading parts of files whose commit is known. @throws `hub-endpoint`, `hub-token`, `hub-proxy` */
export async function openHubRanges(options: HubOptions = {}): Promise<HubRanges> {
  const settings = await readHubSettings(options)
  const { cacheFolder, offline } = settings
  const clients = new Map<string, HubClient>()
  const listings = new Map<string, Promise<ReadonlyMap<string, HubFile>>>()

  const clientOf = (id: string): HubClient => {
    const client = clients.get(id) ?? createHubClient(id, settings, options)
    clients.set(id, client)
    return client
  }
  const find = async ({ id, commit, file }: HubPlace): Promise<HubFile> => {
    if (offline) throw new CheckpointError({ code: 'hub-offline', id, revision: commit, cacheFolder })
    const end = file.lastIndexOf('/')
    const folder = end < 0 ? undefined : file.slice(0, end)
    const key = JSON.stringify([id, commit, folder])
    const listing = listings.get(key) ?? list(clientOf(id), commit, folder)
    listings.set(key, listing)
    const found = (await listing).get(file)
    if (found === undefined)
      throw new CheckpointError({ code: 'hub-not-found', id, hasToken: settings.hasToken, what: file })
    return found
  }
  return {
    cacheFolder,
    cachedPath: ({ id, commit, file }) =>
      join(openCachedModel(cacheFolder, id, commit).snapshotFolder(commit), ...file.split('/')),
    byteCount: async (place) => (await find(place)).byteCount,
    async read(place, byteStart, byteEnd) {
      const file = await find(place)
      const { id, commit } = place
      return readRange({ client: clientOf(id), commit, file }, byteStart, byteEnd, options.stallMs ?? 60_000)
    },
  }
}

const list = async (
  client: HubClient,
  commit: string,
  folder: string | undefined,
): Promise<ReadonlyMap<string, HubFile>> => {
  const { files } = await client.listFiles(commit, folder)
  return new Map(files.map((file) => [file.name, file]))
}
