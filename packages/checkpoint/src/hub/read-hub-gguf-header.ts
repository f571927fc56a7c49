import { posix } from 'node:path'
import type { GgufHeader } from '@mk/gguf'
import { CheckpointError } from '../errors.ts'
import { createHubClient } from './hub-client.ts'
import { type HubOptions, readHubSettings } from './hub-settings.ts'
import { readRemoteGgufHeader } from './remote-gguf-header.ts'

/**
 * Reads the header of a GGUF of a model of the hub, whatever other files are there, by its range alone: nothing is kept.
 * @param file at the top level, or in a folder: `Q8_0/model.gguf`
 * @throws CheckpointError `hub-…`, `disguised-file`; GgufError
 */
export async function readHubGgufHeader(
  id: string,
  { file, revision = 'main' }: { readonly file: string; readonly revision?: string | undefined },
  options: HubOptions = {},
): Promise<GgufHeader & { readonly fileBytes: number }> {
  const settings = await readHubSettings(options)
  if (settings.offline)
    throw new CheckpointError({ code: 'hub-offline', id, revision, cacheFolder: settings.cacheFolder })
  const client = createHubClient(id, settings, options)
  const commit = await client.findCommit(revision)
  const folder = posix.dirname(file)
  const { files } = await client.listFiles(commit, folder === '.' ? undefined : folder)
  const found = files.find(({ name }) => name === file)
  if (found === undefined)
    throw new CheckpointError({ code: 'hub-not-found', id, what: `file ${file}`, hasToken: settings.hasToken })
  const header = await readRemoteGgufHeader({ client, commit, file: found }, options.stallMs ?? 60_000)
  return { ...header, fileBytes: found.byteCount }
}
