import { dtypeBytes } from '@mk/safetensors'
import type { SourceReader } from '@mk/source'
import { joinRanges, type Kernel } from '@mk/tensor/runtime'
import { addCounts, countNonFinite, isAny, isFiniteCount, type NonFiniteCounts } from './non-finite.ts'
import type { OutputWriter } from './output-writer.ts'
import { unpackRanges } from './pack-tasks.ts'
import type { BatchFile, BatchPart, BatchTask, KernelWork, TaskResult } from './task.ts'

/** What an executor lends for a batch. */
export interface BatchHost {
  readonly reader: Pick<SourceReader, 'read'>
  readonly writer: OutputWriter
  compile(work: KernelWork): Promise<{ readonly kernel: Kernel; readonly uses: readonly boolean[] }>
  /** Gives buffers that hold until it is asked again. */
  buffers(byteLengths: readonly number[]): readonly Uint8Array[]
  /** Tells how many elements are computed at once of a larger tensor, at most, by the bytes that each has in all that is read and written. */
  pieceElements(elementBytes: number): number
}

/** Elements [from, to) of a run of tensors, counted through all of them. */
interface Piece {
  readonly from: number
  readonly to: number
}

/** A run of tensors that lie one after the other in every file. */
interface TensorRun {
  readonly count: number
  /** In the output, and by slot in the sources. */
  readonly byteStarts: readonly number[]
  /** The place of the first in the batch. */
  readonly place: number
}

/** Carries out a batch: small tensors that lie one after the other are read, computed and written as one. */
export async function runBatch(host: BatchHost, { parts }: BatchTask): Promise<TaskResult> {
  const found = new Map<number, NonFiniteCounts>()
  let place = 0
  for (const part of parts) place = await runPart(host, part, place, found)
  return { results: [], ...(found.size > 0 && { nonFiniteAt: [...found] }) }
}

/** @returns the place after those of the part */
async function runPart(
  host: BatchHost,
  part: BatchPart,
  place: number,
  found: Map<number, NonFiniteCounts>,
): Promise<number> {
  const { work, sources, runs } = part
  const kernelWork = work.kind === 'copy' ? work.finite : work
  const compiled = kernelWork && (await host.compile(kernelWork))
  const isThere = work.kind === 'copy' && part.output.isThere === true
  const reads = sources.map((_, slot) => (work.kind === 'copy' ? slot === work.input : compiled!.uses[slot]!))
  const dtypes = [...sources.filter((_, slot) => reads[slot]), part.output].map(({ dtype }) => dtype)
  const most = host.pieceElements(dtypes.reduce((sum, dtype) => sum + dtypeBytes(dtype), 0))
  const length = 2 + sources.length
  for (let at = 0; at < runs.length; at += length) {
    if (isThere && compiled === undefined) {
      place += runs[at]!
      continue
    }
    const run = { count: runs[at]!, byteStarts: runs.slice(at + 1, at + length), place }
    for (const piece of piecesOf(part, run, most)) {
      const { inputs, output } = read(host, part, run, piece, reads)
      const elementCount = piece.to - piece.from
      let isFinite = true
      if (compiled !== undefined) {
        const { scalars, vectors } = kernelWork!
        const outputs = work.kind === 'copy' ? [] : [output]
        const call = { elementCount, offset: 0, columns: elementCount, inputs, scalars, vectors, outputs }
        const running = compiled.kernel.run(call)
        isFinite = isFiniteCount(running instanceof Promise ? await running : running, elementCount)
      }
      if (!isThere) write(host.writer, part, run, piece, output)
      if (!isFinite) countEach(part, run, piece, { inputs, output, reads }, found)
    }
    place += run.count
  }
  return place
}

/** Pieces of the ranges of each tensor, or as many of a run of small ones at once as are worth a call. */
function piecesOf({ ranges, elementCount }: BatchPart, { count }: TensorRun, most: number): readonly Piece[] {
  if (ranges === undefined) {
    const atOnce = Math.max(1, Math.floor(most / elementCount))
    return Array.from({ length: Math.ceil(count / atOnce) }, (_, piece) => ({
      from: piece * atOnce * elementCount,
      to: Math.min(count, (piece + 1) * atOnce) * elementCount,
    }))
  }
  const joined = joinRanges(unpackRanges(ranges), most)
  return Array.from({ length: count }, (_, tensor) => tensor * elementCount).flatMap((first) =>
    joined.map(({ start, end }) => ({ from: first + start, to: first + end })),
  )
}

/** Cuts a piece where a tensor ends. */
function* byTensor({ elementCount }: BatchPart, { from, to }: Piece): IterableIterator<Piece> {
  for (let start = from; start < to;) {
    const end = Math.min(to, (Math.floor(start / elementCount) + 1) * elementCount)
    yield { from: start, to: end }
    start = end
  }
}

interface Buffers {
  /** By slot; empty where nothing is read. */
  readonly inputs: readonly Uint8Array[]
  readonly output: Uint8Array
}

function read(
  { reader, buffers }: BatchHost,
  part: BatchPart,
  { byteStarts }: TensorRun,
  piece: Piece,
  reads: readonly boolean[],
): Buffers {
  const { sources, work, output } = part
  const elements = piece.to - piece.from
  const lengths = sources.map(({ dtype }, slot) => (reads[slot] ? elements * dtypeBytes(dtype) : 0))
  const found = buffers([...lengths, work.kind === 'copy' ? 0 : elements * dtypeBytes(output.dtype)])
  const inputs = found.slice(0, -1)
  for (const [slot, { file, dtype }] of sources.entries()) {
    if (!reads[slot]) continue
    const size = dtypeBytes(dtype)
    const readPiece = ({ from, to }: Piece) => {
      const byteStart = byteStarts[slot + 1]! + from * size
      const into = inputs[slot]!.subarray((from - piece.from) * size, (to - piece.from) * size)
      reader.read({ kind: 'file', file, dtype, shape: [to - from], byteStart }, 0, to - from, into)
    }
    try {
      readPiece(piece)
    } catch (error) {
      // One by one, so that the error is about the tensor that can't be read.
      for (const own of byTensor(part, piece)) readPiece(own)
      throw error
    }
  }
  return { inputs, output: work.kind === 'copy' ? inputs[work.input]! : found.at(-1)! }
}

function write(
  writer: OutputWriter,
  part: BatchPart,
  { byteStarts: [byteStart] }: TensorRun,
  piece: Piece,
  bytes: Uint8Array,
): void {
  const { file, dtype } = part.output
  const size = dtypeBytes(dtype)
  if (writer.takesSeveral) return writer.write(file, byteStart! + piece.from * size, bytes)
  for (const { from, to } of byTensor(part, piece))
    writer.write(file, byteStart! + from * size, bytes.subarray((from - piece.from) * size, (to - piece.from) * size))
}

/** Counts what is infinite or NaN tensor by tensor. */
function countEach(
  part: BatchPart,
  { place }: TensorRun,
  piece: Piece,
  { inputs, output, reads }: Buffers & { readonly reads: readonly boolean[] },
  found: Map<number, NonFiniteCounts>,
): void {
  for (const { from, to } of byTensor(part, piece)) {
    const of = (bytes: Uint8Array, { dtype }: BatchFile) => {
      const size = dtypeBytes(dtype)
      return { dtype, bytes: bytes.subarray((from - piece.from) * size, (to - piece.from) * size) }
    }
    const stored = part.sources.map((source, slot) => (reads[slot] ? of(inputs[slot]!, source) : undefined))
    const counts = countNonFinite(to - from, stored, of(output, part.output))
    const tensor = place + Math.floor(from / part.elementCount)
    if (isAny(counts)) found.set(tensor, addCounts(found.get(tensor), counts))
  }
}
