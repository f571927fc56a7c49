import { dtypeBytes } from '@mk/safetensors'
import type { SourceReader, SourceReaderOptions } from '@mk/source'
import {
  type ElementRange,
  joinRanges,
  type Kernel,
  type KernelResult,
  type ProgramOutput,
  type Runtime,
  usedInputs,
} from '@mk/tensor/runtime'
import { type ChunkCache, createChunkCache } from './chunk-cache.ts'
import type { MergedComputer } from './compute-merged.ts'
import type { FactorWorker } from './factor-worker.ts'
import { addCounts as addNonFinite, countNonFinite, isAny, type NonFiniteCounts } from './non-finite.ts'
import { openRuntime } from './open-runtime.ts'
import type { OutputWriter } from './output-writer.ts'
import type { RowStore } from './store-rows.ts'
import {
  type KernelWork,
  type PassTask,
  type PassOutput,
  type PassWork,
  type TaskExecutor,
  type TaskResult,
  type TensorPass,
  wasmRuntime,
} from './task.ts'

interface Compiled {
  readonly kernel: Kernel
  readonly used: ReadonlySet<number>
  readonly stores: readonly Extract<ProgramOutput, { kind: 'store' }>[]
}

/** What a call gave besides the elements that it stored. */
interface RangeResult {
  readonly result: KernelResult
  readonly nonFinite: NonFiniteCounts | undefined
}

/** Buffers start at multiples of this, so that vector loads are aligned. */
const alignment = 64

/** What an executor works with; all of it becomes the executor's, which closes it. */
export interface ExecutorParts {
  readonly runtime: Runtime
  /** Makes the reader of sources, which is given what computes tensors of other merges. */
  readonly createReader: (options: SourceReaderOptions) => SourceReader
  readonly writer: OutputWriter
  /** For chunks kept between passes. */
  readonly cacheBytes: number
}

/** Carries out tasks in this thread, with one runtime and one set of buffers, all bounded by the size of a chunk. */
export const createExecutor = (parts: ExecutorParts): TaskExecutor => new Executor(parts)

class Executor implements TaskExecutor {
  private readonly runtime: Runtime
  private readonly cache: ChunkCache
  private readonly reader: SourceReader
  private readonly writer: OutputWriter
  /** Of passes whose output has rows; most have none, and are spared loading it. */
  private rows: RowStore | undefined
  /** Of passes that read tensors of other merges; most read none, and are spared loading it. */
  private merged: Promise<MergedComputer> | undefined
  /** Of outputs that are adapters. */
  private factors: Promise<FactorWorker> | undefined
  private readonly openMerged: () => Promise<MergedComputer>
  private readonly programs = new Map<string, Promise<Compiled>>()
  private scratch: Uint8Array = new Uint8Array(0)

  constructor({ runtime, createReader, writer, cacheBytes }: ExecutorParts) {
    this.runtime = runtime
    let computer: MergedComputer | undefined
    this.reader = createReader({ readMerged: (source, ...range) => computer!.read(source, ...range) })
    this.openMerged = async () => (computer = await openMergedComputer(runtime, this.reader))
    this.writer = writer
    this.cache = createChunkCache(runtime.allocate(cacheBytes))
  }

  async run(task: PassTask): Promise<TaskResult> {
    const { pass, ranges, groups } = task
    if (pass.output?.rows !== undefined) this.rows ??= (await import('./store-rows.ts')).createRowStore(this.writer)
    if (pass.merged !== undefined) await (await (this.merged ??= this.openMerged())).use(pass.merged)
    let nonFinite: NonFiniteCounts | undefined
    const note = (found: NonFiniteCounts | undefined) => {
      if (found !== undefined && isAny(found)) nonFinite = addNonFinite(nonFinite, found)
    }
    if (pass.work.kind === 'copy') {
      for (const range of ranges) note(await this.copy(pass, pass.work, range))
      return { results: [], nonFinite }
    }
    if (pass.work.kind === 'factors') {
      this.factors ??= import('./factor-worker.ts').then(({ createFactorWorker }) =>
        createFactorWorker(this.reader, this.writer),
      )
      const result = await (await this.factors).run(pass, pass.work)
      return { results: result.length > 0 ? [{ range: 0, result }] : [], nonFinite: undefined }
    }
    const compiled = await this.compile(pass.work)
    const results: { range: number; result: KernelResult }[] = []
    for (const [index, range] of this.callRanges(task).entries()) {
      const { result, nonFinite: found } = await this.runRange(pass, pass.work, compiled, range)
      note(found)
      if (result.length === 0) continue
      const last = results.at(-1)
      if (last !== undefined && groups[last.range] === groups[index]) addTo(last.result, result)
      else results.push({ range: index, result: result.map((values) => values.slice()) })
    }
    return { results, nonFinite }
  }

  private async compile({ program, programKey }: KernelWork): Promise<Compiled> {
    let known = this.programs.get(programKey)
    if (known === undefined) {
      const stores = program.outputs.filter((output) => output.kind === 'store')
      known = this.runtime.compile(program).then((kernel) => ({
        kernel,
        used: new Set(usedInputs(program)),
        stores,
      }))
      this.programs.set(programKey, known)
    }
    return known
  }

  /** What each kernel call covers: a runtime with costly calls gets larger ones where results don't depend on it. */
  private callRanges({ pass, ranges, groups }: PassTask): readonly ElementRange[] {
    const { preferredElements } = this.runtime
    if (preferredElements === undefined) return ranges
    return pass.output !== undefined || groups.every((group) => group === groups[0])
      ? joinRanges(ranges, preferredElements)
      : ranges
  }

  private async copy(
    { sources, output }: TensorPass,
    { input, finite }: Extract<PassWork, { kind: 'copy' }>,
    { start, end }: ElementRange,
  ): Promise<NonFiniteCounts | undefined> {
    const source = sources[input]!
    const elementBytes = dtypeBytes(source.dtype)
    const elementCount = end - start
    const buffer = this.buffers([elementCount * elementBytes])[0]!
    this.reader.read(source, start, elementCount, buffer)
    this.write(output!, start, buffer)
    if (finite === undefined) return undefined
    const { kernel } = await this.compile(finite)
    const { scalars, vectors } = finite
    const inputs = sources.map((_, slot) => (slot === input ? buffer : none))
    const call = { elementCount, offset: start, columns: elementCount, inputs, scalars, vectors, outputs: [] }
    if (isFiniteCount(await kernel.run(call), elementCount)) return undefined
    const stored = { dtype: source.dtype, bytes: buffer }
    return countNonFinite(
      elementCount,
      sources.map((_, slot) => (slot === input ? stored : undefined)),
      stored,
    )
  }

  private async runRange(
    { tensor, sources, output, keep }: TensorPass,
    { scalars, vectors, columns }: KernelWork,
    { kernel, used, stores }: Compiled,
    { start, end }: ElementRange,
  ): Promise<RangeResult> {
    const elementCount = end - start
    const key = (slot: number) => `${start}-${end}/${slot}`
    const known = sources.map((_, slot) => this.cache.get(tensor, key(slot)))
    const inputBytes = sources.map(({ dtype }, slot) => (used.has(slot) ? elementCount * dtypeBytes(dtype) : 0))
    const kept = inputBytes.map(
      (bytes, slot) => known[slot] ?? (keep && used.has(slot) ? this.cache.add(tensor, key(slot), bytes) : undefined),
    )
    const buffers = this.buffers([
      ...inputBytes.map((bytes, slot) => (kept[slot] === undefined ? bytes : 0)),
      ...stores.map(({ dtype }) => elementCount * dtypeBytes(dtype)),
    ])
    const inputs = sources.map((source, slot) => {
      const buffer = kept[slot] ?? buffers[slot]!
      if (known[slot] === undefined && used.has(slot)) this.reader.read(source, start, elementCount, buffer)
      return buffer
    })
    const outputs = buffers.slice(inputs.length)
    const result = await kernel.run({ elementCount, offset: start, columns, inputs, scalars, vectors, outputs })
    if (output === undefined) return { result, nonFinite: undefined }
    for (const elements of outputs) this.write(output, start, elements)
    const nonFinite = isFiniteCount(result, elementCount)
      ? undefined
      : countNonFinite(
          elementCount,
          sources.map(({ dtype }, slot) => (used.has(slot) ? { dtype, bytes: inputs[slot]! } : undefined)),
          { dtype: output.dtype, bytes: outputs[0]!, largest: output.rows?.largest },
        )
    return { result: [], nonFinite }
  }

  private write(output: PassOutput, start: number, elements: Uint8Array): void {
    const { file, byteStart, dtype, rows } = output
    if (rows === undefined) this.writer.write(file, byteStart + start * dtypeBytes(dtype), elements)
    else this.rows!.store(output, rows, start, elements)
  }

  private buffers(byteLengths: readonly number[]): Uint8Array[] {
    const aligned = byteLengths.map((bytes) => Math.ceil(bytes / alignment) * alignment)
    const total = aligned.reduce((sum, bytes) => sum + bytes, 0)
    if (total > this.scratch.length) this.scratch = this.runtime.allocate(Math.max(total, this.scratch.length * 2))
    let position = 0
    return byteLengths.map((bytes, index) => {
      const buffer = this.scratch.subarray(position, position + bytes)
      position += aligned[index]!
      return buffer
    })
  }

  forget(tensor: number): void {
    this.cache.forget(tensor)
  }

  async close(): Promise<void> {
    this.reader.close()
    this.writer.close()
    await (await this.merged)?.close()
    await (await this.factors)?.close()
    await this.runtime.close()
  }
}

/**
 * What reads elements can't wait, so that those of other merges are computed by WebAssembly where the runtime itself gives promises, as
 * those of devices do.
 */
async function openMergedComputer(runtime: Runtime, reader: SourceReader): Promise<MergedComputer> {
  const { createMergedComputer } = await import('./compute-merged.ts')
  if (runtime.isSynchronous === true) return createMergedComputer(runtime, reader)
  const own = await openRuntime(wasmRuntime)
  return { ...createMergedComputer(own, reader), close: () => own.close() }
}

const none = new Uint8Array(0)

/** Tells whether a call that counts the finite elements, where it does, found all of them finite. */
const isFiniteCount = ([count]: KernelResult, elementCount: number): boolean =>
  count === undefined || count[0] === elementCount

function addTo(total: KernelResult, part: KernelResult): void {
  total.forEach((values, output) => {
    const added = part[output]!
    if (values instanceof Uint32Array) addCounts(values, added as Uint32Array)
    else values.forEach((value, index) => (values[index] = value + added[index]!))
  })
}

function addCounts(total: Uint32Array, part: Uint32Array): void {
  for (let index = 0; index < total.length; index++) total[index]! += part[index]!
}
