import type { SystemError } from '@mk/errors'
import type { RemoteRangeFile } from './mapped-file.ts'

/** A synchronous request, which only workers may make. */
declare const XMLHttpRequest: new () => {
  open(method: string, url: string, isAsync: false): void
  setRequestHeader(name: string, value: string): void
  responseType: string
  send(): void
  readonly status: number
  readonly response: ArrayBuffer | null
}

const attempts = 4

/** Fetches bytes [byteStart, byteEnd) of a file. @throws an error as of a system, with what the server answered */
export async function fetchRange(
  path: string,
  { url, headers, byteCount }: RemoteRangeFile,
  byteStart: number,
  byteEnd: number,
): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(url, { headers: { ...headers, range: rangeOf(byteStart, byteEnd) } })
      if (response.ok) {
        const bytes = new Uint8Array(await response.arrayBuffer())
        return partOf(path, { bytes, status: response.status, byteCount }, byteStart, byteEnd)
      }
      if (attempt === attempts || !mayPass(response.status))
        throw refused(path, `the server answered ${response.status}`)
    } catch (cause) {
      // A browser tells no page why a request failed.
      if (attempt === attempts || !(cause instanceof TypeError)) throw named(path, cause)
    }
    await new Promise((resolve) => setTimeout(resolve, 250 * 2 ** attempt))
  }
}

/** The same at once. */
export function requestRange(
  path: string,
  { url, headers, byteCount }: RemoteRangeFile,
  byteStart: number,
  byteEnd: number,
): Uint8Array {
  for (let attempt = 1; ; attempt++) {
    const request = new XMLHttpRequest()
    request.open('GET', url, false)
    request.responseType = 'arraybuffer'
    for (const [name, value] of Object.entries({ ...headers, range: rangeOf(byteStart, byteEnd) }))
      request.setRequestHeader(name, value)
    let failure: unknown
    try {
      request.send()
    } catch (cause) {
      failure = cause
    }
    const { status } = request
    if (failure === undefined && status >= 200 && status < 300 && request.response !== null)
      return partOf(path, { bytes: new Uint8Array(request.response), status, byteCount }, byteStart, byteEnd)
    if (attempt < attempts && (failure !== undefined || mayPass(status))) continue
    throw failure === undefined ? refused(path, `the server answered ${status}`) : named(path, failure)
  }
}

const rangeOf = (byteStart: number, byteEnd: number) => `bytes=${byteStart}-${byteEnd - 1}`

const mayPass = (status: number) => status === 429 || status >= 500

interface Answer {
  readonly bytes: Uint8Array
  readonly status: number
  readonly byteCount: number
}

/** A server that knows no ranges gives the whole file. */
function partOf(path: string, { bytes, status, byteCount }: Answer, byteStart: number, byteEnd: number): Uint8Array {
  if (status === 206 && bytes.length === byteEnd - byteStart) return bytes
  if (status === 200 && bytes.length === byteCount) return bytes.subarray(byteStart, byteEnd)
  throw refused(path, `the server sent ${bytes.length} bytes instead of ${byteEnd - byteStart}`)
}

const refused = (path: string, reason: string): SystemError =>
  Object.assign(new Error(`EREMOTE: ${reason}, read '${path}'`), { code: 'EREMOTE', syscall: 'read', path })

const named = (path: string, cause: unknown): unknown =>
  cause instanceof Error && 'syscall' in cause
    ? cause
    : Object.assign(refused(path, 'the connection failed or its server lets no page of others read the answer'), {
        cause,
      })
