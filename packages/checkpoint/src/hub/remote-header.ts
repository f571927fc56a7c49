import { parseHeader, readHeaderLength, type TensorEntry } from '@mk/safetensors'
import { CheckpointError } from '../errors.ts'
import { describeDisguise } from '../files/disguise.ts'
import type { RemoteFile } from './hub-client.ts'
import { readRange } from './ranged-response.ts'

/** Most headers fit, so that one request is enough. */
const firstBytes = 1 << 17

/** Reads the header of a safetensors file that is still at the hub, by one or two ranged requests. @throws `hub-…`, `disguised-file`, SafetensorsError */
export async function readRemoteHeader(remote: RemoteFile, stallMs: number): Promise<readonly TensorEntry[]> {
  const { client, file } = remote
  const label = `${client.id}/${file.name}`
  const start = await readRange(remote, 0, Math.min(file.byteCount, firstBytes), stallMs)
  const found = describeDisguise(start, 'safetensors')
  if (found !== undefined) throw new CheckpointError({ code: 'disguised-file', file: label, found })
  const headerBytes = readHeaderLength(start, file.byteCount, label)
  if (headerBytes <= start.length) return parseHeader(start, file.byteCount, label).tensors
  const bytes = new Uint8Array(headerBytes)
  bytes.set(start)
  bytes.set(await readRange(remote, start.length, headerBytes, stallMs), start.length)
  return parseHeader(bytes, file.byteCount, label).tensors
}
