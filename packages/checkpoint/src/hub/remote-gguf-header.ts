import { type GgufHeader, parseGgufHeader } from '@mk/gguf'
import { CheckpointError } from '../errors.ts'
import { describeDisguise } from '../files/disguise.ts'
import type { RemoteFile } from './hub-client.ts'
import { readRange } from './ranged-response.ts'

/** Most headers have a vocabulary, and are some megabytes long. */
const firstBytes = 2 ** 22

/** Reads the header of a GGUF that is still at the hub, by as few ranged requests as it takes. @throws `hub-…`, `disguised-file`, GgufError */
export async function readRemoteGgufHeader(remote: RemoteFile, stallMs: number): Promise<GgufHeader> {
  const { client, file } = remote
  const label = `${client.id}/${file.name}`
  let bytes: Uint8Array = new Uint8Array(0)
  for (let wanted = firstBytes; ; wanted *= 2) {
    const byteCount = Math.min(wanted, file.byteCount)
    const longer = new Uint8Array(byteCount)
    longer.set(bytes)
    longer.set(await readRange(remote, bytes.length, byteCount, stallMs), bytes.length)
    bytes = longer
    const found = wanted === firstBytes ? describeDisguise(bytes, 'gguf') : undefined
    if (found !== undefined) throw new CheckpointError({ code: 'disguised-file', file: label, found })
    const header = parseGgufHeader(bytes, file.byteCount, label)
    if (header !== undefined) return header
  }
}
