import type { FileMap } from '@mk/source/web'
import { type CursorRun, createCursors } from './cursors.ts'
import { type FeedAnswer, type FeedRequest, type FilePiece, pieceBytes } from './feed-messages.ts'
import { createLeftovers } from './leftovers.ts'
import { isNear } from './plan-pieces.ts'

/** Reads blobs for workers, in the order in which they ask, which is about the order of the files. */
export interface Feeder {
  /** Feeds a worker. @returns what takes its requests */
  serve(post: (answer: FeedAnswer, transfer: ArrayBuffer[]) => void): (request: FeedRequest) => void
  close(): void
}

/** How many megabytes are in memory at once. */
interface FeederLimits {
  /** Pieces that a worker has at hand, but for those of one call. */
  readonly pieces: number
  /** Blocks that were read around a sample. */
  readonly blocks: number
}

/** What a task reads of two models, for each worker, and matrices of two models, twice. */
const defaultLimits: FeederLimits = { pieces: 32, blocks: 128 }

/** Creates what feeds the workers of a merge. */
export function createFeeder(files: FileMap, limits = defaultLimits): Feeder {
  const free: ArrayBuffer[] = []
  const takeBuffer = () => free.pop() ?? new ArrayBuffer(pieceBytes)
  const cursors = createCursors(files)
  const leftovers = createLeftovers(limits.blocks, (buffer) => void free.push(buffer))

  /** Reads all on the way to the parts of a sample, since it is asked for next. */
  async function readAround(run: CursorRun, { file, parts }: FilePiece): Promise<ArrayBuffer> {
    const end = parts.at(-1)!
    if (parts.length === 2 || !leftovers.hasRoom(end - (await run.position()))) return run.read(parts, takeBuffer())
    await run.readTo(end, takeBuffer, (...block) => leftovers.add(file, ...block))
    const buffer = takeBuffer()
    leftovers.copy(file, parts, buffer)
    return buffer
  }

  /** Plans how the pieces of an ask are read: who asks first reads first. */
  function place(pieces: readonly FilePiece[]) {
    const known = pieces.map(({ file, parts }) => leftovers.take(file, parts))
    const runs = planRuns(pieces.filter((_, index) => known[index] === undefined))
    const placed = new Map<FilePiece, CursorRun>()
    for (const { file, byteStart, byteEnd, pieces: ofRun } of runs) {
      const run = cursors.run(file, byteStart, byteEnd)
      for (const piece of ofRun) placed.set(piece, run)
    }
    const readers = pieces.map((piece, index) => async () => {
      const copy = known[index]
      if (copy === undefined) return readAround(placed.get(piece)!, piece)
      const buffer = takeBuffer()
      copy(buffer)
      return buffer
    })
    return { readers, runs: new Set(placed.values()) }
  }

  return {
    serve(post) {
      let current = 0
      /** Calls of the pieces that the worker has. */
      const held: number[] = []
      let onSpent = () => {}
      let previous = Promise.resolve()

      async function bring(
        ask: number,
        pieces: readonly FilePiece[],
        readers: readonly (() => Promise<ArrayBuffer>)[],
      ) {
        for (const [index, { call }] of pieces.entries()) {
          while (ask === current && held.length >= limits.pieces && held[0]! < call)
            await new Promise<void>((resolve) => (onSpent = resolve))
          if (ask !== current) return
          const buffer = await readers[index]!().catch(() => undefined)
          if (buffer === undefined) post({ kind: 'piece', ask }, [])
          else {
            held.push(call)
            post({ kind: 'piece', ask, buffer }, [buffer])
          }
        }
      }

      return (request) => {
        if (request.kind === 'spent') {
          held.splice(0, request.buffers.length)
          free.push(...request.buffers)
        } else {
          const { ask, pieces } = request
          current = ask
          const { readers, runs } = place(pieces)
          previous = previous.then(async () => {
            await bring(ask, pieces, readers)
            for (const run of runs) run.end()
          })
        }
        onSpent()
      }
    },
    close: () => cursors.close(),
  }
}

interface PlannedRun {
  readonly file: string
  readonly byteStart: number
  byteEnd: number
  readonly pieces: FilePiece[]
}

/** Puts pieces together that are read one after the other. */
function planRuns(pieces: readonly FilePiece[]): readonly PlannedRun[] {
  const runs: PlannedRun[] = []
  for (const piece of pieces) {
    const { file, parts } = piece
    const byteStart = parts[0]!
    const byteEnd = parts.at(-1)!
    const run = runs.find((one) => one.file === file && isNear(one.byteEnd, byteStart))
    if (run === undefined) runs.push({ file, byteStart, byteEnd, pieces: [piece] })
    else {
      run.byteEnd = byteEnd
      run.pieces.push(piece)
    }
  }
  return runs
}
