import { createHash, type Hash } from 'node:crypto'
import { constants } from 'node:fs'
import { access, type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CheckpointError } from '../errors.ts'
import { lockBlob } from './blob-lock.ts'
import { describeNetworkError, type HubClient, type HubFile } from './hub-client.ts'
import { checkResponse, readBody } from './ranged-response.ts'

export interface DownloadOptions {
  readonly retryDelayMs: number
  readonly stallMs: number
  readonly signal?: AbortSignal
  /** How much of the file is there. */
  readonly onBytes?: (doneBytes: number) => void
}

const attempts = 5

export const partialFile = (blob: string): string => `${blob}.mk.incomplete`

/**
 * Brings a file into the cache: into an `.incomplete` file that a later run goes on from, checked against the hub's hash,
 * then renamed. A dropped connection is taken up where it broke.
 * @throws `hub-…`
 */
export async function downloadBlob(
  client: HubClient,
  commit: string,
  file: HubFile,
  blob: string,
  options: DownloadOptions,
): Promise<void> {
  if (await exists(blob)) return
  await mkdir(dirname(blob), { recursive: true })
  const lock = await lockBlob(blob, options.signal)
  try {
    // Somebody else may have brought it meanwhile.
    if (await exists(blob)) return
    const handle = await open(partialFile(blob), constants.O_RDWR | constants.O_CREAT, 0o644)
    let isWhole: boolean
    try {
      isWhole = (await fill(handle, client, commit, file, options)) === file.hash
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

/** @returns the hash of all bytes. */
async function fill(
  handle: FileHandle,
  client: HubClient,
  commit: string,
  file: HubFile,
  options: DownloadOptions,
): Promise<string> {
  const { id } = client
  let position = (await handle.stat()).size
  let hash = startHash(file)
  if (position > file.byteCount) position = 0
  await addFile(hash, handle, position)
  let failures = 0
  let furthest = position
  while (position < file.byteCount) {
    const response = await client.open(commit, file.name, position, undefined, options.signal)
    if (checkResponse(response, id, file, position) === 'whole') {
      position = 0
      hash = startHash(file)
    }
    await handle.truncate(position)
    options.onBytes?.(position)
    const body = readBody(response, options.stallMs)
    let reason: string | undefined
    try {
      while (reason === undefined) {
        let chunk: Uint8Array | undefined
        try {
          chunk = await body.next()
        } catch (error) {
          options.signal?.throwIfAborted()
          reason = describeNetworkError(error)
        }
        if (chunk === undefined) break
        if (position + chunk.length > file.byteCount) {
          throw new CheckpointError({
            code: 'hub-length',
            id,
            file: file.name,
            found: position + chunk.length,
            expected: file.byteCount,
          })
        }
        await writeFully(handle, chunk, position)
        hash.update(chunk)
        position += chunk.length
        options.onBytes?.(position)
      }
    } finally {
      await body.cancel()
    }
    if (position === file.byteCount) break
    failures = position > furthest ? 1 : failures + 1
    furthest = Math.max(furthest, position)
    if (failures === attempts) {
      throw reason === undefined
        ? new CheckpointError({ code: 'hub-length', id, file: file.name, found: position, expected: file.byteCount })
        : new CheckpointError({ code: 'hub-unreachable', id, what: file.name, reason })
    }
    await sleep(options.retryDelayMs * 2 ** (failures - 1), undefined, {
      ...(options.signal && { signal: options.signal }),
    })
  }
  return hash.digest('hex')
}

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

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
