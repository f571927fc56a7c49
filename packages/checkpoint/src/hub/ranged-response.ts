import { CheckpointError } from '../errors.ts'
import type { RemoteFile } from './hub-client.ts'
import type { HubFile } from './listed-file.ts'
import { describeNetworkError } from './passing-failures.ts'
import { readBody } from './response-body.ts'

/**
 * Tells whether an answer is the rest of a file from `byteStart`, or the whole of it from a server that knows no ranges.
 * @throws `hub-length` where the file has another length than in the hub's list, `hub-answer`
 */
export function checkResponse(
  response: Response,
  id: string,
  { name: file, byteCount: expected }: HubFile,
  byteStart: number,
): 'rest' | 'whole' {
  const contentLength = response.headers.get('content-length')
  if (response.status !== 206) {
    const found = contentLength === null ? expected : Number(contentLength)
    if (found !== expected) throw new CheckpointError({ code: 'hub-length', id, file, found, expected })
    return byteStart === 0 ? 'rest' : 'whole'
  }
  const groups = /^bytes (?<start>\d+)-\d+\/(?<total>\d+)$/.exec(response.headers.get('content-range') ?? '')?.groups
  if (groups === undefined || Number(groups['start']) !== byteStart) {
    throw new CheckpointError({ code: 'hub-answer', id, problem: `another range of ${file} came than was asked for` })
  }
  const found = Number(groups['total'])
  if (found !== expected) throw new CheckpointError({ code: 'hub-length', id, file, found, expected })
  return 'rest'
}

const attempts = 4

/** Reads bytes [byteStart, byteEnd) of a file. @throws `hub-…` */
export async function readRange(
  { client, commit, file }: RemoteFile,
  byteStart: number,
  byteEnd: number,
  stallMs: number,
): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    const response = await client.open(commit, file.name, byteStart, byteEnd)
    const from = checkResponse(response, client.id, file, byteStart) === 'rest' ? byteStart : 0
    const body = readBody(response, stallMs)
    const into = new Uint8Array(byteEnd - byteStart)
    let position = from
    let reason = 'the connection ended early'
    try {
      for (let chunk = await body.next(); chunk !== undefined && position < byteEnd; chunk = await body.next()) {
        const wanted = chunk.subarray(Math.max(0, byteStart - position), byteEnd - position)
        into.set(wanted, Math.max(position, byteStart) - byteStart)
        position += chunk.length
      }
      if (position >= byteEnd) return into
    } catch (error) {
      reason = describeNetworkError(error).reason
    } finally {
      await body.cancel()
    }
    if (attempt === attempts)
      throw new CheckpointError({ code: 'hub-unreachable', id: client.id, what: file.name, reason, host: client.host })
  }
}
