import type { OpenFiles, TensorSource } from '@mk/source'
import { isZip, readTorchFile } from '../pickle/torch-file.ts'
import { selectStateDict } from '../pickle/state-dict.ts'
import { sourceOfTensor } from '../pickle/storage-source.ts'
import type { RemoteFile } from './hub-client.ts'
import { readRange } from './ranged-response.ts'

/** What a torch file at the hub has. Where its tensors lie is not known exactly: that is told by a header before each, all over the file. */
export interface RemotePickle {
  readonly tensors: ReadonlyMap<string, TensorSource>
  readonly notes: readonly string[]
}

/** Enough to tell whether it is a zip. */
const startBytes = 2 ** 12
/** The least that is then asked for; each further request brings twice as much, since a pickle is read from its start to its end. */
const leastBytes = 2 ** 16

/**
 * Reads what a zip of torch.save's has, while it is still at the hub: the directory at its end and the pickle, by ranged requests.
 * @param path of the file that it will be
 * @returns undefined for the older sequence of pickles, which has no directory: that has to come whole
 * @throws `hub-…`, `pickle-…`, `zip-…`, `disguised-file`
 */
export async function readRemotePickle(
  remote: RemoteFile,
  path: string,
  stallMs: number,
): Promise<RemotePickle | undefined> {
  const { byteCount: fileBytes } = remote.file
  const ranges = createRanges(remote, stallMs)
  await ranges.fetch(0, Math.min(fileBytes, startBytes))
  if (!isZip(ranges.start())) return undefined
  const opened = { file: path, files: ranges, fileBytes }
  // What is read is known only by what stands before it; parsing anew costs less than a request.
  for (;;) {
    try {
      const { root, storages } = readTorchFile(opened, { areStoragesPlaced: false })
      const { tensors, notes } = selectStateDict(root, path)
      return {
        tensors: new Map([...tensors].map(([name, tensor]) => [name, sourceOfTensor(path, name, tensor, storages)])),
        notes,
      }
    } catch (error) {
      if (!(error instanceof MissingRange)) throw error
      await ranges.fetch(error.byteStart, error.byteEnd)
    }
  }
}

/** Bytes that have not been fetched yet. */
class MissingRange extends Error {
  readonly byteStart: number
  readonly byteEnd: number
  constructor(byteStart: number, byteEnd: number) {
    super(`bytes ${byteStart} to ${byteEnd}`)
    this.byteStart = byteStart
    this.byteEnd = byteEnd
  }
}

interface Ranges extends OpenFiles {
  /** The beginning of the file, as far as it is there. */
  start(): Uint8Array
  fetch(byteStart: number, byteEnd: number): Promise<void>
}

function createRanges(remote: RemoteFile, stallMs: number): Ranges {
  const { byteCount: fileBytes } = remote.file
  const parts: { readonly byteStart: number; readonly bytes: Uint8Array }[] = []
  let least = 0
  return {
    start: () => parts[0]!.bytes,
    async fetch(byteStart, byteEnd) {
      const end = Math.min(fileBytes, Math.max(byteEnd, byteStart + least))
      least = Math.max(leastBytes, least * 2)
      parts.push({ byteStart, bytes: await readRange(remote, byteStart, end, stallMs) })
    },
    read(_, byteStart, into) {
      let position = byteStart
      const byteEnd = byteStart + into.length
      while (position < byteEnd) {
        const part = parts.find((each) => each.byteStart <= position && position < each.byteStart + each.bytes.length)
        if (part === undefined) throw new MissingRange(position, byteEnd)
        const from = position - part.byteStart
        const taken = part.bytes.subarray(from, from + byteEnd - position)
        into.set(taken, position - byteStart)
        position += taken.length
      }
    },
    close() {},
  }
}
