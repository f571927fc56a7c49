import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CheckpointError } from '../errors.ts'
import { sizeOf } from './size-of.ts'
import { type LockOwner, waitForLock } from '../lock/file-lock.ts'
import type { HubActivity } from './hub-activity.ts'
import type { RemoteFile } from './hub-client.ts'
import type { HubFile } from './listed-file.ts'
import { describeNetworkError } from './passing-failures.ts'
import { checkResponse } from './ranged-response.ts'
import { readBody } from './response-body.ts'

export interface DownloadOptions {
  readonly retryDelayMs: number
  readonly stallMs: number
  readonly signal?: AbortSignal
  /** How much of the file is there. */
  readonly onBytes?: (doneBytes: number) => void
  readonly onActivity?: ((activity: HubActivity) => void) | undefined
}

const attempts = 5

/** Names the file that holds what has arrived of a blob. */
export const partialFile = (blob: string): string => `${blob}.mk.incomplete`

/**
 * Brings a file into the cache: into an `.incomplete` file that a later run goes on from, checked against the hub's hash,
 * then renamed. A dropped connection is taken up where it broke.
 * @throws `hub-…`
 */
export async function downloadBlob(remote: RemoteFile, blob: string, options: DownloadOptions): Promise<void> {
  const { client, file } = remote
  if (await exists(blob)) return
  await mkdir(dirname(blob), { recursive: true })
  const lock = await waitForLock(`${blob}.mk.lock`, options.signal, watchOther(remote, blob, options))
  try {
    // Somebody else may have brought it meanwhile.
    if (await exists(blob)) return
    const handle = await open(partialFile(blob), constants.O_RDWR | constants.O_CREAT, 0o644)
    let isWhole: boolean
    try {
      isWhole = (await fill(handle, remote, options)) === file.hash
      if (isWhole) await handle.datasync()
    } finally {
      await handle.close()
    }
    if (isWhole) await rename(partialFile(blob), blob)
    else {
      await rm(partialFile(blob), { force: true })
      throw new CheckpointError({ code: 'hub-corrupt', id: client.id, file: file.name })
    }
  } finally {
    await lock.release()
  }
}

/** Says who brings a file, and shows how far that is. */
function watchOther({ client: { id }, file }: RemoteFile, blob: string, { onActivity, onBytes }: DownloadOptions) {
  let isTold = false
  return async ({ pid, host }: LockOwner): Promise<void> => {
    // The same blob under another name is brought by this process itself.
    if (!isTold && pid !== process.pid) onActivity?.({ kind: 'lock', id, what: file.name, pid, host })
    isTold = true
    const size = await sizeOf(partialFile(blob))
    if (size !== undefined) onBytes?.(Math.min(size, file.byteCount))
  }
}

/** What is there of a file. */
interface Arrived {
  bytes: number
  hash: Hash
}

/** Brings what is missing. @returns the hash of all bytes. */
async function fill(handle: FileHandle, remote: RemoteFile, options: DownloadOptions): Promise<string> {
  const { client, file } = remote
  const arrived: Arrived = { bytes: (await handle.stat()).size, hash: startHash(file) }
  if (arrived.bytes > file.byteCount) arrived.bytes = 0
  await addFile(arrived.hash, handle, arrived.bytes)
  let failures = 0
  let furthest = arrived.bytes
  while (arrived.bytes < file.byteCount) {
    const reason = await append(handle, arrived, remote, options)
    if (arrived.bytes === file.byteCount) break
    failures = arrived.bytes > furthest ? 1 : failures + 1
    furthest = Math.max(furthest, arrived.bytes)
    if (failures === attempts) {
      throw reason === undefined
        ? wrongLength(remote, arrived.bytes)
        : new CheckpointError({
            code: 'hub-unreachable',
            id: client.id,
            what: file.name,
            reason,
            host: client.host,
            isPartlyHere: arrived.bytes > 0,
          })
    }
    const waitMs = options.retryDelayMs * 2 ** (failures - 1)
    options.onActivity?.({
      kind: 'repeating',
      id: client.id,
      what: file.name,
      reason: reason ?? 'the connection ended early',
      waitMs,
      attempt: failures + 1,
      attempts,
    })
    await sleep(waitMs, undefined, {
      ...(options.signal && { signal: options.signal }),
    })
  }
  return arrived.hash.digest('hex')
}

/** Writes the rest of a file, as far as one request brings it. @returns why the connection broke, if it did. */
async function append(
  handle: FileHandle,
  arrived: Arrived,
  remote: RemoteFile,
  { stallMs, signal, onBytes }: DownloadOptions,
): Promise<string | undefined> {
  const { client, commit, file } = remote
  const response = await client
    .open(commit, file.name, arrived.bytes, undefined, signal)
    .catch((error: unknown) => Promise.reject(tellPartlyHere(error, arrived.bytes)))
  if (checkResponse(response, client.id, file, arrived.bytes) === 'whole') {
    arrived.bytes = 0
    arrived.hash = startHash(file)
  }
  await handle.truncate(arrived.bytes)
  onBytes?.(arrived.bytes)
  const body = readBody(response, stallMs)
  try {
    for (;;) {
      let chunk: Uint8Array | undefined
      try {
        chunk = await body.next()
      } catch (error) {
        signal?.throwIfAborted()
        return describeNetworkError(error).reason
      }
      if (chunk === undefined) return undefined
      if (arrived.bytes + chunk.length > file.byteCount) throw wrongLength(remote, arrived.bytes + chunk.length)
      await writeFully(handle, chunk, arrived.bytes)
      arrived.hash.update(chunk)
      arrived.bytes += chunk.length
      onBytes?.(arrived.bytes)
    }
  } finally {
    await body.cancel()
  }
}

function tellPartlyHere(error: unknown, arrivedBytes: number): unknown {
  const { issue } = error instanceof CheckpointError ? error : {}
  if (issue?.code !== 'hub-unreachable' || arrivedBytes === 0) return error
  return new CheckpointError({ ...issue, isPartlyHere: true }, { cause: error })
}

const wrongLength = ({ client, file }: RemoteFile, found: number): CheckpointError =>
  new CheckpointError({ code: 'hub-length', id: client.id, file: file.name, found, expected: file.byteCount })

/** sha256 of the bytes, or git's sha1 for files that git holds itself. */
function startHash({ hash, byteCount }: HubFile): Hash {
  return hash.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${byteCount}\0`)
}

async function addFile(hash: Hash, handle: FileHandle, byteCount: number): Promise<void> {
  const buffer = new Uint8Array(Math.min(byteCount, 1 << 20))
  for (let position = 0; position < byteCount;) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, byteCount - position), position)
    if (bytesRead === 0) return
    hash.update(buffer.subarray(0, bytesRead))
    position += bytesRead
  }
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten
}

const exists = async (path: string): Promise<boolean> => (await sizeOf(path)) !== undefined
