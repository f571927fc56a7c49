import { joinPath } from '@mk/source'
import { createFileMap, type MappedFile } from '@mk/source/web'
import { CheckpointError } from '../errors.ts'
import { isReadOnTheWay, parseEndpoint } from '../hub/endpoint.ts'
import { findAtHub, weightsAmong, withShards } from '../hub/find-at-hub.ts'
import { fileUrl } from '../hub/hub-api.ts'
import { createHubClient, type HubAccount } from '../hub/hub-client.ts'
import type { ResolveHubModel } from '../hub/hub-model.ts'

/** How the hub is reached without a cache, by ranges of its files. */
export interface HubByRangesOptions {
  /** Where the files that are found are entered, as files of the hub's server, in a folder of their own. */
  readonly files: Map<string, MappedFile>
  /** Address of the hub; https://huggingface.co if absent. */
  readonly endpoint?: string
  /** Of the user; it goes to the endpoint alone. Without one, requests need no permission of the server's. */
  readonly token?: string | undefined
}

/**
 * Makes what finds models of the hub where there is no cache: nothing is downloaded, files are read where they are, by ranges.
 * Only plain GET is used, so that a page may ask (CORS).
 * @throws CheckpointError `hub-endpoint`
 */
export function createHubByRanges({ files, endpoint, token }: HubByRangesOptions): ResolveHubModel {
  const address = parseEndpoint(endpoint ?? 'https://huggingface.co')
  if (token && isReadOnTheWay(address))
    throw new CheckpointError({
      code: 'hub-endpoint',
      problem:
        'is an address without encryption at another machine, where the token would be sent in the clear; give an https address, or no token',
    })
  const authorization: Readonly<Record<string, string>> = token ? { authorization: `Bearer ${token}` } : {}
  const account: HubAccount = {
    endpoint: address,
    hasToken: token !== undefined && token !== '',
    // What a browser calls as a method of anything else than the page, it refuses.
    fetch: (...request) => fetch(...request),
    holdsToken: (text) => token !== undefined && token !== '' && text.includes(token),
    headers: {},
    authorize: (url) => (new URL(url).origin === new URL(address).origin ? authorization : {}),
  }
  return async (id, revision = 'main', options) => {
    const { purpose = 'model', gguf, onProgress: _, ...asking } = options
    const wanted = { purpose, gguf }
    const { commit, listed, selection, notes } = await findAtHub(createHubClient(id, account, asking), revision, wanted)
    const folder = `/hub/${id}/${commit}`
    const enter = (name: string, byteCount: number) =>
      files.set(joinPath(folder, name), { url: fileUrl(address, id, commit, name), byteCount, headers: authorization })
    for (const name of selection.small) enter(name, listed.get(name)!.byteCount)
    const names = await withShards(createFileMap(files), selection, folder)
    for (const { name, byteCount } of weightsAmong(names, { id, listed, selection, wanted })) enter(name, byteCount)
    return {
      id,
      commit,
      folder,
      files: names,
      headers: new Map(),
      pickles: new Map(),
      ggufHeaders: new Map(),
      gguf: selection.format === 'gguf' ? selection.ggufs[0] : undefined,
      readRange: (path) => Promise.reject(new RangeError(`${path} is read where it is`)),
      downloadBytes: 0,
      notes,
      download: () => Promise.resolve(),
    }
  }
}
