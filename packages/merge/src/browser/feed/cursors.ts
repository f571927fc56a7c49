import type { FileMap } from '@mk/source/web'
import { isNear } from './plan-pieces.ts'

/** A blob that is read on and on, as a stream. */
interface Cursor {
  readonly file: string
  stream?: ReadableStreamBYOBReader
  position: number
  /** Where its stream ends; absent: where the file does. */
  readonly last: number | undefined
  /** Where it will be when all is read that is to be read with it. */
  end: number
  /** When that is. */
  idle: Promise<void>
  readers: number
}

/** A part of a blob that is read in order with a cursor. */
export interface CursorRun {
  /** Waits until it is this run's turn. @returns where the cursor is */
  position(): Promise<number>
  /** Reads all up to a byte, in blocks of whole buffers. @throws as `read` */
  readTo(
    byteEnd: number,
    takeBuffer: () => ArrayBuffer,
    onBlock: (byteStart: number, byteCount: number, buffer: ArrayBuffer) => void,
  ): Promise<void>
  /**
   * Fills a buffer, which is handed over, with parts one after the other, and gives it back.
   * @throws what the browser does where the file has changed
   */
  read(parts: readonly number[], buffer: ArrayBuffer): Promise<ArrayBuffer>
  /** Lets the next go on. */
  end(): void
}

/** Cursors that stay where they are, so that reading can go on there. */
const mostIdle = 8

/**
 * Creates cursors over blobs. What begins where other parts end is read by their stream, after them: to begin a stream costs as much
 * as to read some megabytes, and a slice read at once costs that, too.
 */
export function createCursors(files: FileMap): {
  run(file: string, start: number, end: number): CursorRun
  close(): void
} {
  const cursors = new Set<Cursor>()

  const drop = (cursor: Cursor) => {
    cursors.delete(cursor)
    cursor.stream?.cancel().catch(() => {})
  }

  const open = (file: string, start: number, last: number | undefined): Cursor => {
    const idle = [...cursors].filter(({ readers }) => readers === 0)
    if (idle.length >= mostIdle) drop(idle[0]!)
    const cursor: Cursor = { file, position: start, end: start, last, idle: Promise.resolve(), readers: 0 }
    cursors.add(cursor)
    return cursor
  }

  return {
    run(file, start, end) {
      const ofFile = [...cursors].filter((one) => one.file === file)
      // What was passed by already is read once more, and then reading goes on where it was.
      const isAgain = ofFile.some((one) => one.end > start)
      const cursor =
        ofFile.find((one) => one.last === undefined && isNear(one.end, start)) ??
        open(file, start, isAgain ? end : undefined)
      const before = cursor.idle
      let finish = () => {}
      cursor.idle = new Promise((resolve) => (finish = resolve))
      cursor.end = end
      cursor.readers++
      const mine = async <T>(use: (fill: Fill) => Promise<T>): Promise<T> => {
        await before
        try {
          cursor.stream ??= (files.get(file) as Blob)
            .slice(cursor.position, cursor.last)
            .stream()
            .getReader({ mode: 'byob' })
          return await use(fillFrom(cursor, cursor.stream))
        } catch (error) {
          drop(cursor)
          throw error
        }
      }
      return {
        async position() {
          await before
          return cursor.position
        },
        readTo: (byteEnd, takeBuffer, onBlock) =>
          mine(async (fill) => {
            while (cursor.position < byteEnd) {
              const { position } = cursor
              const buffer = takeBuffer()
              const byteCount = Math.min(byteEnd - position, buffer.byteLength)
              onBlock(position, byteCount, await fill(buffer, 0, byteCount))
            }
          }),
        read: (parts, buffer) =>
          mine(async (fill) => {
            let into = buffer
            for (let part = 0, position = 0; part < parts.length; part += 2) {
              const start = parts[part]!
              const byteCount = parts[part + 1]! - start
              // What is left out goes where the next part will be.
              while (cursor.position < start)
                into = await fill(into, position, Math.min(start - cursor.position, into.byteLength - position))
              into = await fill(into, position, byteCount)
              position += byteCount
            }
            return into
          }),
        end() {
          cursor.readers--
          finish()
          if (cursor.end === (cursor.last ?? (files.get(file) as Blob).size) && cursor.readers === 0) drop(cursor)
          // Those that were used last are kept longest.
          else if (cursors.delete(cursor)) cursors.add(cursor)
        },
      }
    },
    close() {
      for (const cursor of cursors) drop(cursor)
    },
  }
}

/** Reads on into a part of a buffer, which is handed over. */
type Fill = (buffer: ArrayBuffer, at: number, byteCount: number) => Promise<ArrayBuffer>

const fillFrom =
  (cursor: Cursor, stream: ReadableStreamBYOBReader): Fill =>
  async (buffer, at, byteCount) => {
    let into = buffer
    for (let done = 0; done < byteCount;) {
      const left = byteCount - done
      const { value } = await stream.read(new Uint8Array(into, at + done, left), { min: left })
      if (value === undefined || value.length === 0) throw new Error(`${cursor.file} ends at byte ${cursor.position}`)
      done += value.length
      cursor.position += value.length
      into = value.buffer
    }
    return into
  }
