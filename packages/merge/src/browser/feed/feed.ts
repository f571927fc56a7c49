import type { FileMap } from '@mk/source/web'
import type { FileFeed } from '../../run/file-feed.ts'
import type { FeedAnswer, FeedRequest } from './feed-messages.ts'
import { type PlannedPiece, planPieces } from './plan-pieces.ts'

/** What a worker is fed with. */
export interface WorkerFeed extends FileFeed {
  /** Takes a piece that arrives. */
  take(answer: FeedAnswer): void
  /** Fills `into` where all of it has arrived for the call that runs. @returns whether it had */
  read(file: string, byteStart: number, into: Uint8Array): boolean
}

/** Less than this is read at once, as a message would take longer. */
const fewestBytes = 2 ** 18

interface Arrived extends PlannedPiece {
  readonly buffer: ArrayBuffer
}

/** Creates what asks for parts of blobs, and keeps those that arrived until the last call that reads them is done. */
export function createWorkerFeed(
  files: FileMap,
  post: (request: FeedRequest, transfer: ArrayBuffer[]) => void,
): WorkerFeed {
  let number = 0
  let asked: readonly PlannedPiece[] = []
  /** Pieces of the ask that have arrived or won't. */
  let answered = 0
  let arrived: readonly Arrived[] = []
  let onAnswer = () => {}

  const giveBack = (buffers: ArrayBuffer[]) => {
    if (buffers.length > 0) post({ kind: 'spent', buffers }, buffers)
  }
  const keepFrom = (call: number) => {
    giveBack(arrived.flatMap(({ lastCall, buffer }) => (lastCall < call ? [buffer] : [])))
    arrived = arrived.filter(({ lastCall }) => lastCall >= call)
  }

  return {
    ask(calls) {
      // What is no blob, or not there, is read at once, which also says what is wrong with it.
      const pieces = planPieces(calls, ({ file, byteEnd }) => {
        const blob = files.get(file)
        return blob instanceof Blob && byteEnd <= blob.size
      })
      if (pieces.reduce((sum, { byteCount }) => sum + byteCount, 0) < fewestBytes) return undefined
      keepFrom(Infinity)
      asked = pieces
      answered = 0
      number++
      post({ kind: 'ask', ask: number, pieces: pieces.map(({ file, parts, call }) => ({ file, parts, call })) }, [])
      let call = 0
      let wanted = 0
      return async () => {
        keepFrom(call)
        while (wanted < pieces.length && pieces[wanted]!.call === call) wanted++
        call++
        while (answered < wanted) await new Promise<void>((resolve) => (onAnswer = resolve))
      }
    },
    take({ ask, buffer }) {
      if (ask !== number) return buffer && giveBack([buffer])
      if (buffer !== undefined) arrived = [...arrived, { ...asked[answered]!, buffer }]
      answered++
      onAnswer()
    },
    read(file, byteStart, into) {
      let done = 0
      for (const piece of arrived)
        if (piece.file === file && done < into.length) done += copyOf(piece, byteStart + done, into.subarray(done))
      return done === into.length
    },
  }
}

/** Copies what a piece has from a byte on. @returns how many bytes that were */
function copyOf({ parts, buffer }: Arrived, byteStart: number, into: Uint8Array): number {
  for (let part = 0, position = 0; part < parts.length; part += 2) {
    const start = parts[part]!
    const end = parts[part + 1]!
    if (byteStart >= start && byteStart < end) {
      const byteCount = Math.min(end - byteStart, into.length)
      into.set(new Uint8Array(buffer, position + byteStart - start, byteCount))
      return byteCount
    }
    position += end - start
  }
  return 0
}
