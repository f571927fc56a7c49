import { pieceBytes } from './feed-messages.ts'

/** What was read of files on the way to a few parts of them, until it is asked for, too. */
export interface Leftovers {
  /** Whether so many bytes can be kept, if need be in the place of what is used in part. */
  hasRoom(byteCount: number): boolean
  /** Keeps what lies at the beginning of a buffer. */
  add(file: string, byteStart: number, byteCount: number, buffer: ArrayBuffer): void
  /** Copies parts of what is kept, one after the other. */
  copy(file: string, parts: readonly number[], into: ArrayBuffer): void
  /** Sets parts aside. @returns copies them, and lets them go; absent where they are not all kept */
  take(file: string, parts: readonly number[]): ((into: ArrayBuffer) => void) | undefined
}

interface Block {
  readonly file: string
  readonly byteStart: number
  readonly byteEnd: number
  readonly buffer: ArrayBuffer
  /** Bytes that nobody has taken. */
  left: number
  /** Of who took some and did not copy it yet. */
  takers: number
}

/** Creates what keeps bytes of files. @param giveBack gets the buffers of what was copied or has to go */
export function createLeftovers(mostBlocks: number, giveBack: (buffer: ArrayBuffer) => void): Leftovers {
  const blocks = new Set<Block>()

  const drop = (block: Block) => {
    if (blocks.delete(block)) giveBack(block.buffer)
  }

  /** The blocks that have all of [start, end); absent where something is missing. */
  const blocksOf = (file: string, start: number, end: number): readonly Block[] | undefined => {
    const found = [...blocks].filter((block) => block.file === file && block.byteStart < end && start < block.byteEnd)
    let at = start
    for (const { byteStart, byteEnd } of found.sort((a, b) => a.byteStart - b.byteStart)) {
      if (byteStart > at) return undefined
      at = byteEnd
    }
    return at < end ? undefined : found
  }

  const copyParts = (parts: readonly number[], from: readonly (readonly Block[])[], into: ArrayBuffer) => {
    let position = 0
    from.forEach((ofPart, index) => {
      for (let at = parts[2 * index]!; at < parts[2 * index + 1]!;) {
        const { byteStart, byteEnd, buffer } = ofPart.find((block) => block.byteStart <= at && at < block.byteEnd)!
        const byteCount = Math.min(byteEnd, parts[2 * index + 1]!) - at
        new Uint8Array(into).set(new Uint8Array(buffer, at - byteStart, byteCount), position)
        position += byteCount
        at += byteCount
      }
    })
  }

  const find = (file: string, parts: readonly number[]): (readonly Block[])[] | undefined => {
    const found: (readonly Block[])[] = []
    for (let part = 0; part < parts.length; part += 2) {
      const ofPart = blocksOf(file, parts[part]!, parts[part + 1]!)
      if (ofPart === undefined) return undefined
      found.push(ofPart)
    }
    return found
  }

  return {
    hasRoom(byteCount) {
      const wanted = Math.ceil(byteCount / pieceBytes)
      if (wanted > mostBlocks) return false
      for (const block of blocks) {
        if (blocks.size + wanted <= mostBlocks) break
        if (block.takers === 0 && block.left < block.byteEnd - block.byteStart) drop(block)
      }
      return blocks.size + wanted <= mostBlocks
    },
    add(file, byteStart, byteCount, buffer) {
      blocks.add({ file, byteStart, byteEnd: byteStart + byteCount, buffer, left: byteCount, takers: 0 })
    },
    copy: (file, parts, into) => copyParts(parts, find(file, parts)!, into),
    take(file, parts) {
      const found = find(file, parts)
      if (found === undefined) return undefined
      found.forEach((ofPart, index) => {
        for (const block of ofPart) {
          block.takers++
          block.left -= Math.min(block.byteEnd, parts[2 * index + 1]!) - Math.max(block.byteStart, parts[2 * index]!)
        }
      })
      return (into) => {
        copyParts(parts, found, into)
        for (const block of found.flat()) if (--block.takers === 0 && block.left <= 0) drop(block)
      }
    },
  }
}
