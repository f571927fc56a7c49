import { createHash } from 'node:crypto'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { ifPresent, systemReason } from '@mk/errors'
import { SourceError } from '@mk/source'

/** A file that a plan reads, as it was then. */
export interface InputFile {
  readonly path: string
  /** Of one that was not on this machine, its size is the hub's to tell. */
  readonly bytes?: number
  /** When it was written last, in nanoseconds since 1970. */
  readonly modified?: string
  /** When its bytes, name or permissions were last changed, likewise: nobody can set that back. */
  readonly changed?: string
  /** SHA-256 of its size and of bytes from all over it: tells copies from other files without reading all of them. */
  readonly sample?: string
  /** Where it is at the hub. */
  readonly hub?: HubFilePlace
}

/** A file of a repository at a commit, whose bytes nobody changes. */
export interface HubFilePlace {
  readonly id: string
  readonly commit: string
  readonly file: string
}

/** What a file is in comparison with that of a plan. */
export type FileComparison = 'same' | 'changed' | 'gone'

/** Reads what a plan says of an input. @throws SourceError 'unreadable-file' */
export async function describeInputFile(path: string): Promise<InputFile> {
  const hub = hubPlaceOf(path)
  const found = await statOf(path)
  if (found === undefined) return { path, ...(hub && { hub }) }
  const facts = { path, bytes: Number(found.size), modified: String(found.mtimeNs), changed: String(found.ctimeNs) }
  // Whatever lies beside the weights of a model, folders included, has a state, too.
  return hub !== undefined || !found.isFile()
    ? { ...facts, ...(hub && { hub }) }
    : { ...facts, sample: await sampleOf(path, facts.bytes) }
}

/**
 * Compares a file with that of a plan: by size and times, and by its commit where the hub has it. Where only the times differ that a copy has
 * of its own, its samples have to be the same; what is said to be at another place may have any time.
 */
export async function compareInputFile(planned: InputFile, path: string, isMoved: boolean): Promise<FileComparison> {
  const found = await statOf(path)
  if (found === undefined) return 'gone'
  const { bytes, modified, changed, sample, hub } = planned
  if (bytes !== undefined && Number(found.size) !== bytes) return 'changed'
  if (hub !== undefined || bytes === undefined || modified === undefined) return 'same'
  const isSame = isSameTime(modified, String(found.mtimeNs))
  if (isSame && (changed === String(found.ctimeNs) || sample === undefined)) return 'same'
  return (isSame || isMoved) && (await sampleOf(path, bytes)) === sample ? 'same' : 'changed'
}

const second = 1_000_000_000n

/** Some file systems know only whole seconds. */
function isSameTime(a: string, b: string): boolean {
  const [first, other] = [BigInt(a), BigInt(b)]
  return first === other || (first / second === other / second && (first % second === 0n || other % second === 0n))
}

/** The layout of Hugging Face's cache names repository and commit. */
export function hubPlaceOf(path: string): HubFilePlace | undefined {
  const found =
    /[/\\]models--([\w.-]+?)(?:--([\w.-]+))?[/\\]snapshots[/\\]([0-9a-f]{40})[/\\](.+)$/.exec(path) ?? undefined
  if (found === undefined) return undefined
  const [, organization, name, commit, file] = found
  return {
    id: name === undefined ? organization! : `${organization}/${name}`,
    commit: commit!,
    file: file!.replaceAll('\\', '/'),
  }
}

const statOf = (path: string) =>
  ifPresent(stat(path, { bigint: true })).catch((cause: unknown) => {
    throw new SourceError({ code: 'unreadable-file', file: path, reason: systemReason(cause) }, { cause })
  })

const [sampleBytes, sampleCount] = [4096, 64]

/** Hashes the size and 64 blocks, the first and the last among them; all of a file that is no longer. */
async function sampleOf(path: string, bytes: number): Promise<string> {
  const hash = createHash('sha256').update(`${bytes}\n`)
  try {
    const handle = await open(path)
    try {
      for (const start of sampleStarts(bytes))
        hash.update(await readAt(handle, start, Math.min(sampleBytes, bytes - start)))
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw new SourceError({ code: 'unreadable-file', file: path, reason: systemReason(cause) }, { cause })
  }
  return hash.digest('hex')
}

function sampleStarts(bytes: number): number[] {
  if (bytes <= sampleBytes * sampleCount)
    return Array.from({ length: Math.ceil(bytes / sampleBytes) }, (_, index) => index * sampleBytes)
  const last = bytes - sampleBytes
  return Array.from({ length: sampleCount }, (_, index) => Math.floor((last * index) / (sampleCount - 1)))
}

/** One that became shorter meanwhile is another one by its size. */
async function readAt(handle: FileHandle, start: number, count: number): Promise<Uint8Array> {
  const found = new Uint8Array(count)
  for (let done = 0; done < count;) {
    const { bytesRead } = await handle.read(found, done, count - done, start + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return found
}
