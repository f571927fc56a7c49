import { dtypeBytes } from '@mk/safetensors'
import type { SourceReader } from '@mk/source'
import type { Kernel } from '@mk/tensor/runtime'
import { countNonFinite, isAny, isFiniteCount, type NonFiniteCounts } from './non-finite.ts'
import type { OutputWriter } from './output-writer.ts'
import type { BatchFile, BatchTask, KernelWork, TaskResult } from './task.ts'

/** What an executor lends for a batch. */
export interface BatchHost {
  readonly reader: SourceReader
  readonly writer: OutputWriter
  compile(work: KernelWork): Promise<{ readonly kernel: Kernel; readonly uses: readonly boolean[] }>
  /** Gives buffers that hold until it is asked again. */
  buffers(byteLengths: readonly number[]): readonly Uint8Array[]
}

/** Carries out a batch: tensors that lie one after the other are read, computed and written as one. */
export async function runBatch(host: BatchHost, batch: BatchTask): Promise<TaskResult> {
  const { work, sources, runs, elementCount } = batch
  const kernelWork = work.kind === 'copy' ? work.finite : work
  const compiled = kernelWork && (await host.compile(kernelWork))
  const isRead = sources.map((_, slot) => (work.kind === 'copy' ? slot === work.input : compiled!.uses[slot]!))
  const nonFiniteAt: [number, NonFiniteCounts][] = []
  let place = 0
  for (let at = 0; at < runs.length; at += 2 + sources.length) {
    const count = runs[at]!
    const elements = count * elementCount
    const run = { count, elementCount, byteStarts: runs.slice(at + 2, at + 2 + sources.length) }
    const found = host.buffers([
      ...sources.map(({ dtype }, slot) => (isRead[slot] ? elements * dtypeBytes(dtype) : 0)),
      work.kind === 'copy' ? 0 : elements * dtypeBytes(batch.output.dtype),
    ])
    const inputs = found.slice(0, -1)
    const output = work.kind === 'copy' ? inputs[work.input]! : found.at(-1)!
    for (const [slot, source] of sources.entries()) if (isRead[slot]) readRun(host.reader, source, slot, run, inputs)
    let isFinite = true
    if (compiled !== undefined) {
      const { scalars, vectors } = kernelWork!
      const outputs = work.kind === 'copy' ? [] : [output]
      const call = { elementCount: elements, offset: 0, columns: elements, inputs, scalars, vectors, outputs }
      isFinite = isFiniteCount(await compiled.kernel.run(call), elements)
    }
    writeRun(host.writer, batch.output, { count, byteStart: runs[at + 1]! }, output)
    for (let tensor = 0; tensor < count && !isFinite; tensor++) {
      const of = (bytes: Uint8Array, { dtype }: BatchFile) => {
        const byteLength = elementCount * dtypeBytes(dtype)
        return { dtype, bytes: bytes.subarray(tensor * byteLength, (tensor + 1) * byteLength) }
      }
      const stored = sources.map((source, slot) => (isRead[slot] ? of(inputs[slot]!, source) : undefined))
      const counts = countNonFinite(elementCount, stored, of(output, batch.output))
      if (isAny(counts)) nonFiniteAt.push([place + tensor, counts])
    }
    place += count
  }
  return { results: [], ...(nonFiniteAt.length > 0 && { nonFiniteAt }) }
}

function writeRun(
  writer: OutputWriter,
  { file }: BatchFile,
  { count, byteStart }: { readonly count: number; readonly byteStart: number },
  bytes: Uint8Array,
): void {
  if (writer.takesSeveral) return writer.write(file, byteStart, bytes)
  const size = bytes.length / count
  for (let at = 0; at < bytes.length; at += size) writer.write(file, byteStart + at, bytes.subarray(at, at + size))
}

interface TensorRun {
  readonly count: number
  readonly elementCount: number
  /** By slot, where the first tensor begins. */
  readonly byteStarts: readonly number[]
}

/** Reads all at once; where that fails one by one, so that the error is about the tensor that can't be read. */
function readRun(
  reader: SourceReader,
  { file, dtype }: BatchFile,
  slot: number,
  { count, elementCount, byteStarts }: TensorRun,
  inputs: readonly Uint8Array[],
): void {
  const into = inputs[slot]!
  const read = (tensor: number, tensorCount: number) => {
    const byteLength = elementCount * dtypeBytes(dtype)
    const elements = tensorCount * elementCount
    const byteStart = byteStarts[slot]! + tensor * byteLength
    const bytes = into.subarray(tensor * byteLength, (tensor + tensorCount) * byteLength)
    reader.read({ kind: 'file', file, dtype, shape: [elements], byteStart }, 0, elements, bytes)
  }
  try {
    read(0, count)
  } catch (error) {
    if (count === 1) throw error
    for (let tensor = 0; tensor < count; tensor++) read(tensor, 1)
  }
}
