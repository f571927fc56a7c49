import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CommitProgressEvent } from '@huggingface/hub'
import type * as hubClient from '@huggingface/hub'
import { CheckpointError } from '../errors.ts'
import { isHubId } from '../hub/hub-id.ts'
import { type HubOptions, type HubSettings, readHubSettings } from '../hub/hub-settings.ts'
import { describeNetworkError } from '../hub/passing-failures.ts'
import { createUploadFetch } from './upload-fetch.ts'

/** What is uploaded, where to, and who is told. */
export interface PushOptions {
  /** The folder whose files are uploaded; those whose names begin with a dot stay here. */
  readonly folder: string
  /** The repository, `org/name`; it is made if there is none. */
  readonly id: string
  /** Whether a repository that has to be made is private; absent: as its owner has it. */
  readonly isPrivate?: boolean
  /** The title of the commit. */
  readonly message?: string
  /** Open a pull request instead of changing the branch `main`. */
  readonly isPullRequest?: boolean
  readonly hub?: Pick<HubOptions, 'environment' | 'fetch' | 'retryDelayMs' | 'signal'>
  readonly onProgress?: (progress: PushProgress) => void
}

/** How far an upload has come; what the hub has already counts as uploaded. */
export interface PushProgress {
  /** Hashes of large files are computed, large files uploaded, then all files committed at once. */
  readonly phase: 'hashing' | 'uploading' | 'committing'
  readonly doneBytes: number
  readonly totalBytes: number
}

/** What an upload has made. */
export interface PushResult {
  readonly id: string
  /** The page of the commit, or of the pull request. */
  readonly url: string
  /** 40 hexadecimal digits. */
  readonly commit: string
  readonly fileCount: number
  readonly byteCount: number
}

/** Checks that an upload to a repository can be tried: its name, a token, the client. @throws CheckpointError `push-id`, `push-token`, `push-offline`, `push-client`, and what settings of the hub throw */
export async function checkPush({ id, hub = {} }: Pick<PushOptions, 'id' | 'hub'>): Promise<void> {
  await openClient(id, hub)
}

/**
 * Uploads the files of a folder to a repository of the hub, in one commit: it has all of them or, after a failure, none. Large files
 * that the hub has already are not sent again.
 * @throws CheckpointError `push-folder`, `push-refused`, `push-failed`, and those of `checkPush`; the reason of the signal
 */
export async function pushFolder(options: PushOptions): Promise<PushResult> {
  const { folder, id, hub = {} } = options
  const files = await listPushed(folder)
  const { client, settings } = await openClient(id, hub)
  const byteCount = files.reduce((sum, { byteCount: bytes }) => sum + bytes, 0)
  const ask = createUploadFetch(settings, hub)
  const base = { repo: { type: 'model', name: id } as const, hubUrl: settings.endpoint, fetch: ask }
  try {
    await makeRepository(client, { ...base, ...(options.isPrivate !== undefined && { private: options.isPrivate }) })
    const tracker = trackProgress(files, options.onProgress)
    const events = client.commitIter({
      ...base,
      title: options.message ?? `Upload ${files.length} files with mk`,
      operations: files.map(({ name }) => ({
        operation: 'addOrUpdate' as const,
        path: name,
        content: pathToFileURL(join(folder, name)),
      })),
      isPullRequest: options.isPullRequest ?? false,
      ...(hub.signal !== undefined && { abortSignal: hub.signal }),
    })
    for (;;) {
      const { done, value } = await events.next()
      hub.signal?.throwIfAborted()
      if (!done) {
        tracker(value)
        continue
      }
      const { commit, pullRequestUrl } = value!
      return { id, url: pullRequestUrl ?? commit.url, commit: commit.oid, fileCount: files.length, byteCount }
    }
  } catch (error) {
    hub.signal?.throwIfAborted()
    throw describeFailure(error, id, settings)
  }
}

type Client = typeof hubClient

async function openClient(
  id: string,
  hub: NonNullable<PushOptions['hub']>,
): Promise<{ client: Client; settings: HubSettings }> {
  if (!isHubId(id) || !id.includes('/')) throw new CheckpointError({ code: 'push-id', id })
  const settings = await readHubSettings(hub)
  if (settings.offline) throw new CheckpointError({ code: 'push-offline', id })
  if (!settings.hasToken) throw new CheckpointError({ code: 'push-token', id })
  try {
    return { client: await import('@huggingface/hub'), settings }
  } catch (error) {
    const { code } = error as { readonly code?: unknown }
    const reason = code === 'ERR_MODULE_NOT_FOUND' ? 'it is not installed' : String(error)
    throw new CheckpointError({ code: 'push-client', reason }, { cause: error })
  }
}

/** A file that is uploaded. */
export interface PushedFile {
  /** From the folder, with `/`. */
  readonly name: string
  readonly byteCount: number
}

/** Lists the files of a folder that `pushFolder` uploads, by name. @throws CheckpointError `push-folder` */
export async function listPushed(folder: string): Promise<readonly PushedFile[]> {
  const refuse = (problem: string) => new CheckpointError({ code: 'push-folder', folder, problem })
  if (/^\..+\.partial$/u.test(basename(resolve(folder)))) throw refuse('is a merge that has not finished')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    const { code } = error as { readonly code?: string }
    if (code === 'ENOENT') throw refuse('is not there')
    if (code === 'ENOTDIR') throw refuse('is no folder')
    throw refuse(`can't be read (${code ?? String(error)})`)
  })
  const names = entries
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((name) => !name.split('/').some((part) => part.startsWith('.')))
    .toSorted()
  const files: PushedFile[] = []
  for (const name of names) {
    const stats = await stat(join(folder, name)).catch(() => undefined)
    if (stats === undefined) throw refuse(`has ${name}, which can't be read`)
    if (stats.isFile()) files.push({ name, byteCount: stats.size })
  }
  if (files.length === 0) throw refuse('has no files')
  return files
}

interface MakeRequest {
  readonly repo: { readonly type: 'model'; readonly name: string }
  readonly hubUrl: string
  readonly fetch: typeof fetch
  readonly private?: boolean
}

/** Makes the repository unless it is there. */
async function makeRepository(client: Client, request: MakeRequest): Promise<void> {
  try {
    // The token is what `fetch` adds.
    await client.createRepo(request as Parameters<Client['createRepo']>[0])
  } catch (error) {
    const { statusCode } = error as { readonly statusCode?: unknown }
    if (statusCode === 409) return
    if (statusCode === 403 && (await client.repoExists(request))) return
    throw error
  }
}

/** Adds up what is told file by file. */
function trackProgress(
  files: readonly PushedFile[],
  onProgress: PushOptions['onProgress'],
): (event: CommitProgressEvent) => void {
  const sizes = new Map(files.map(({ name, byteCount }) => [name, byteCount]))
  const done = { hashing: new Map<string, number>(), uploading: new Map<string, number>() }
  const totalBytes = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0)
  return (event) => {
    if (event.event === 'phase') {
      if (event.phase === 'committing') onProgress?.({ phase: 'committing', doneBytes: totalBytes, totalBytes })
      return
    }
    if (event.state === 'error') return
    const phase = done[event.state]
    phase.set(event.path, Math.round((sizes.get(event.path) ?? 0) * event.progress))
    const doneBytes = [...phase.values()].reduce((sum, bytes) => sum + bytes, 0)
    onProgress?.({ phase: event.state, doneBytes, totalBytes })
  }
}

function describeFailure(error: unknown, id: string, settings: HubSettings): unknown {
  if (error instanceof CheckpointError) return error
  const { statusCode, message } = error as { readonly statusCode?: unknown; readonly message?: unknown }
  if (typeof statusCode === 'number') {
    const text = typeof message === 'string' && !settings.holdsToken(message) ? message : 'no reason told'
    if (statusCode < 500 && statusCode !== 429)
      return new CheckpointError({ code: 'push-refused', id, status: statusCode, message: text })
    return new CheckpointError({ code: 'push-failed', id, reason: `status ${statusCode}` })
  }
  return new CheckpointError({ code: 'push-failed', id, reason: describeNetworkError(error).reason })
}
