import { CheckpointError } from '../errors.ts'
import { limits } from '../limits.ts'
import { describeNetworkError } from './passing-failures.ts'

export interface BodyReader {
  /** The next bytes, or undefined at the end. @throws when the connection fails or delivers nothing for too long. */
  next(): Promise<Uint8Array | undefined>
  cancel(): Promise<void>
}

/** Reads the body of an answer; `next` throws where it delivers nothing for `stallMs`. */
export function readBody(response: Response, stallMs: number): BodyReader {
  const reader = response.body?.getReader()
  return {
    async next() {
      if (reader === undefined) return undefined
      let timer: ReturnType<typeof setTimeout> | undefined
      const stalled = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('no answer in time')), stallMs)
      })
      try {
        return (await Promise.race([reader.read(), stalled])).value as Uint8Array | undefined
      } finally {
        clearTimeout(timer)
      }
    },
    cancel: () => reader?.cancel().catch(() => {}) ?? Promise.resolve(),
  }
}

interface Asked {
  readonly id: string
  /** What was asked for. */
  readonly what: string
  readonly host: string
  readonly stallMs: number
  readonly signal: AbortSignal | undefined
}

/** Takes an answer to its end, as long as it is bearable: what parses it knows no bound. @throws `hub-answer`, `hub-unreachable` */
export async function readAnswer(response: Response, { id, what, host, stallMs, signal }: Asked): Promise<Uint8Array> {
  const body = readBody(response, stallMs)
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > limits.hubAnswerBytes)
        throw new CheckpointError({
          code: 'hub-answer',
          id,
          problem: `the ${what} has more than ${limits.hubAnswerBytes} bytes`,
        })
    }
  } catch (error) {
    if (error instanceof CheckpointError) throw error
    signal?.throwIfAborted()
    throw new CheckpointError({ code: 'hub-unreachable', id, what, host, reason: describeNetworkError(error).reason })
  } finally {
    await body.cancel()
  }
  return joined(chunks, bytes)
}

function joined(chunks: readonly Uint8Array[], byteCount: number): Uint8Array {
  const bytes = new Uint8Array(byteCount)
  let position = 0
  for (const chunk of chunks) {
    bytes.set(chunk, position)
    position += chunk.length
  }
  return bytes
}
