import { CheckpointError } from '../errors.ts'
import { createHubClient } from './hub-client.ts'
import { type HubOptions, readHubSettings } from './hub-settings.ts'
import { readRange } from './ranged-response.ts'

/** A file at the hub, of which any part can be read. */
export interface HubFileReader {
  readonly byteCount: number
  /** Bytes [byteStart, byteEnd). @throws CheckpointError `hub-…` */
  read(byteStart: number, byteEnd: number): Promise<Uint8Array>
}

/**
 * Opens a file at the top level of a model of the hub; nothing of it is downloaded or kept.
 * @throws CheckpointError `hub-…`
 */
export async function openHubFile(
  id: string,
  { file, revision = 'main' }: { readonly file: string; readonly revision?: string | undefined },
  options: HubOptions = {},
): Promise<HubFileReader> {
  const settings = await readHubSettings(options)
  if (settings.offline)
    throw new CheckpointError({ code: 'hub-offline', id, revision, cacheFolder: settings.cacheFolder })
  const client = createHubClient(id, settings, options)
  const commit = await client.findCommit(revision)
  const found = (await client.listFiles(commit)).files.find(({ name }) => name === file)
  if (found === undefined)
    throw new CheckpointError({ code: 'hub-not-found', id, what: `file ${file}`, hasToken: settings.hasToken })
  const { stallMs = 60_000 } = options
  return {
    byteCount: found.byteCount,
    read: (byteStart, byteEnd) => readRange({ client, commit, file: found }, byteStart, byteEnd, stallMs),
  }
}
