import type { FileRange } from '../../run/file-feed.ts'
import { type FilePiece, longestSkip, pieceBytes } from './feed-messages.ts'

/** A piece with the last call that reads some of it. */
export interface PlannedPiece extends FilePiece {
  readonly parts: number[]
  byteCount: number
  lastCall: number
}

/** What is shorter, and far from what is read before it, is read at once: a stream would bring much more. */
const shortestAlone = 2 ** 17

/** Tells whether what starts at a byte is read on with what ended at another. */
export const isNear = (byteEnd: number, byteStart: number): boolean =>
  byteEnd <= byteStart && byteStart - byteEnd <= longestSkip

/**
 * Divides what calls read into pieces, in the order in which they are needed.
 * @param isFed whether a range is of a file that can be streamed
 */
export function planPieces(
  calls: readonly (readonly FileRange[])[],
  isFed: (range: FileRange) => boolean,
): readonly PlannedPiece[] {
  const pieces: PlannedPiece[] = []
  const last = new Map<string, PlannedPiece>()
  /** Where the range before ends. */
  const ends = new Map<string, number>()

  const add = ({ file, byteStart, byteEnd }: FileRange, call: number): void => {
    for (let start = byteStart; start < byteEnd;) {
      let piece = last.get(file)
      if (piece === undefined || piece.byteCount === pieceBytes || !isNear(piece.parts.at(-1)!, start)) {
        piece = { file, parts: [], call, byteCount: 0, lastCall: call }
        pieces.push(piece)
        last.set(file, piece)
      }
      const end = Math.min(byteEnd, start + pieceBytes - piece.byteCount)
      if (piece.parts.at(-1) === start) piece.parts[piece.parts.length - 1] = end
      else piece.parts.push(start, end)
      piece.byteCount += end - start
      piece.lastCall = call
      start = end
    }
  }

  calls.forEach((ranges, call) => {
    for (const range of ranges) {
      const { file, byteStart, byteEnd } = range
      if (!isFed(range)) continue
      const isAlone = !isNear(ends.get(file) ?? -Infinity, byteStart)
      ends.set(file, byteEnd)
      if (!isAlone || byteEnd - byteStart >= shortestAlone) add(range, call)
    }
  })
  return pieces
}
