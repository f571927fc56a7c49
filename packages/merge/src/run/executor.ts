import { dtypeBytes } from '@mk/safetensors'
import type { SourceReader, SourceReaderOptions } from '@mk/source'
import {
  type ElementRange,
  joinRanges,
  type KernelCall,
  type KernelResult,
  rangeElements,
  type Runtime,
} from '@mk/tensor/runtime'
import { addTo } from './add-results.ts'
import { callRanges } from './call-ranges.ts'
import { type ChunkCache, createChunkCache } from './chunk-cache.ts'
import { type Compiled, createCompiler } from './compiled-programs.ts'
import type { MergedComputer } from './compute-merged.ts'
import type { FactorWorker } from './factor-worker.ts'
import type { MatrixExecutor } from './matrix-executor.ts'
import { addCounts as addNonFinite, countNonFinite, isAny, isFiniteCount, type NonFiniteCounts } from './non-finite.ts'
import { askForGathered, askForRanges, type FileFeed } from './file-feed.ts'
import { openMergedComputer } from './open-merged-computer.ts'
import type { OutputWriter } from './output-writer.ts'
import { type BatchHost, runBatch } from './run-batch.ts'
import { gatheredRange } from './run-ranges.ts'
import { createScratch } from './scratch.ts'
import type { RowStore } from './store-rows.ts'
import {
  type KernelWork,
  type PassOutput,
  type PassWork,
  type Task,
  type TaskExecutor,
  rememberedBytes,
  type TaskResult,
  type TensorPass,
} from './task.ts'

/** What a call gave besides the elements that it stored. */
interface RangeResult {
  readonly result: KernelResult
  readonly nonFinite: NonFiniteCounts | undefined
}

/** Elements that are read, computed and written at once where no result depends on it, unless the runtime prefers others. */
const pieceElements = 2 ** 19
/** Bytes that such a call reads and stores at most: of many models it covers fewer elements, as the memory for it is bounded. */
const pieceBytes = 2 ** 25

/** What an executor works with; all of it becomes the executor's, which closes it. */
export interface ExecutorParts {
  readonly runtime: Runtime
  /** Makes the reader of sources, which is given what computes tensors of other merges. */
  readonly createReader: (options: SourceReaderOptions) => SourceReader
  readonly writer: OutputWriter
  /** For chunks kept between passes. */
  readonly cacheBytes: number
  /** Brings what is read of files, where that is better than to read it at once. */
  readonly feed?: FileFeed
}

/** Carries out tasks in this thread, with one runtime and one set of buffers, all bounded by the size of a chunk. */
export const createExecutor = (parts: ExecutorParts): TaskExecutor => new Executor(parts)

class Executor implements TaskExecutor {
  private readonly runtime: Runtime
  private readonly cache: ChunkCache
  private readonly reader: SourceReader
  private readonly writer: OutputWriter
  private readonly feed: FileFeed | undefined
  /** Of passes whose output has rows; most have none, and are spared loading it. */
  private rows: RowStore | undefined
  /** Of passes that read tensors of other merges; most read none, and are spared loading it. */
  private merged: Promise<MergedComputer> | undefined
  /** Of outputs that are adapters. */
  private factors: Promise<FactorWorker> | undefined
  private readonly batches: BatchHost
  private readonly openMerged: () => Promise<MergedComputer>
  /** Of passes that work on matrices; most don't, and are spared loading it. */
  private matrices: Promise<MatrixExecutor> | undefined
  private readonly compile: (work: KernelWork) => Promise<Compiled>
  private readonly buffers: (byteLengths: readonly number[]) => readonly Uint8Array[]
  private readonly cacheBytes: number
  private stopping: Promise<void> | undefined
  /** What programs stored of chunks for a later pass; few methods ask for it. */
  private remembered: ChunkCache | undefined

  constructor({ runtime, createReader, writer, cacheBytes, feed }: ExecutorParts) {
    this.runtime = runtime
    this.compile = createCompiler(runtime)
    let computer: MergedComputer | undefined
    this.reader = createReader({ readMerged: (source, ...range) => computer!.read(source, ...range) })
    this.openMerged = async () => (computer = await openMergedComputer(runtime, this.reader))
    this.writer = writer
    this.feed = feed
    this.buffers = createScratch(runtime)
    this.batches = {
      reader: this.reader,
      writer,
      compile: this.compile,
      buffers: this.buffers,
      pieceElements: (elementBytes) =>
        runtime.preferredElements ?? Math.min(pieceElements, Math.floor(pieceBytes / elementBytes)),
    }
    this.cacheBytes = cacheBytes
    this.cache = createChunkCache(runtime.allocate(cacheBytes))
  }

  async run(task: Task): Promise<TaskResult> {
    if ('job' in task) return (await this.openMatrices()).carryOut(task)
    if ('parts' in task) return runBatch(this.batches, task)
    if ('whole' in task) {
      // Methods are loaded here only where tensors take several passes.
      const { runWhole } = await import('./run-whole.ts')
      return runWhole(this, task)
    }
    const { pass, ranges, groups } = task
    if (pass.output?.rows !== undefined) this.rows ??= (await import('./store-rows.ts')).createRowStore(this.writer)
    if (pass.merged !== undefined) await (await (this.merged ??= this.openMerged())).use(pass.merged)
    let nonFinite: NonFiniteCounts | undefined
    const note = (found: NonFiniteCounts | undefined) => {
      if (found !== undefined && isAny(found)) nonFinite = addNonFinite(nonFinite, found)
    }
    if (pass.work.kind === 'copy') {
      const { input } = pass.work
      const calls = joinRanges(ranges, pieceElements)
      const arrive = askForRanges(this.feed, pass, calls, (slot) => slot === input)
      for (const range of calls) {
        if (arrive !== undefined) await arrive()
        note(await this.copy(pass, pass.work, range))
      }
      return { results: [], nonFinite }
    }
    if (pass.work.kind === 'factors') {
      this.factors ??= import('./factor-worker.ts').then(({ createFactorWorker }) =>
        createFactorWorker(this.reader, this.writer),
      )
      const result = await (await this.factors).run(pass, pass.work)
      return { results: [{ range: 0, result }] }
    }
    if (pass.work.kind !== 'kernel') return (await this.openMatrices()).run(pass, pass.work, ranges)
    const compiled = await this.compile(pass.work)
    if (task.gathered)
      return { results: [{ range: 0, result: await this.runGathered(pass, pass.work, compiled, ranges) }] }
    const recalling = pass.recall && (await this.compile(pass.recall))
    const results: { range: number; result: KernelResult }[] = []
    // What masks are is kept chunk by chunk.
    const calls =
      pass.remembers || this.remembered?.has(pass.tensor)
        ? ranges.map((range, first) => ({ range, first }))
        : callRanges(task, compiled.uses, this.cache, this.batches.pieceElements(compiled.elementBytes))
    const covered = calls.map(({ range }) => range)
    const arrive = askForRanges(this.feed, pass, covered, (slot) => compiled.uses[slot]!, this.cache)
    for (const { range, first } of calls) {
      if (arrive !== undefined) await arrive()
      const codes = recalling && this.remembered?.get(pass.tensor, rememberedChunk(pass, range))
      const running =
        codes === undefined
          ? this.runRange(pass, pass.work, compiled, range)
          : this.runRange(pass, pass.recall!, recalling!, range, codes)
      const { result, nonFinite: found } = running instanceof Promise ? await running : running
      note(found)
      if (result.length === 0) continue
      const last = results.at(-1)
      if (last !== undefined && groups[last.range] === groups[first]) addTo(last.result, result)
      else results.push({ range: first, result: result.map((values) => values.slice()) })
    }
    return { results, nonFinite }
  }

  private openMatrices(): Promise<MatrixExecutor> {
    const { runtime, reader } = this
    const write = (output: PassOutput, start: number, elements: Uint8Array) => this.write(output, start, elements)
    this.matrices ??= import('./matrix-executor.ts').then((loaded) =>
      loaded.createMatrixExecutor({ runtime, reader, write }),
    )
    return this.matrices
  }

  private async copy(
    { sources, output, elementOffset = 0 }: TensorPass,
    { input, finite }: Extract<PassWork, { kind: 'copy' }>,
    { start, end }: ElementRange,
  ): Promise<NonFiniteCounts | undefined> {
    if (output!.isThere && finite === undefined) return undefined
    const source = sources[input]!
    const elementBytes = dtypeBytes(source.dtype)
    const elementCount = end - start
    const [buffer = none] = this.buffers([elementCount * elementBytes])
    this.reader.read(source, elementOffset + start, elementCount, buffer)
    if (!output!.isThere) this.write(output!, elementOffset + start, buffer)
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

  private async runGathered(
    pass: TensorPass,
    { scalars, vectors, columns }: KernelWork,
    { kernel, uses }: Compiled,
    ranges: readonly ElementRange[],
  ): Promise<KernelResult> {
    const { tensor, sources, keep, elementOffset = 0 } = pass
    const elementCount = rangeElements(ranges)
    const byteLengths = sources.map(({ dtype }, slot) => (uses[slot] ? elementCount * dtypeBytes(dtype) : 0))
    await askForGathered(this.feed, pass, ranges, (slot) => uses[slot]!, this.cache)?.()
    const buffers = this.buffers(byteLengths)
    const inputs = buffers.map((buffer, slot) => {
      if (!uses[slot]) return none
      const chunk = { slot, ...gatheredRange(elementCount), byteLength: byteLengths[slot]! }
      const known = this.cache.get(tensor, chunk)
      if (known !== undefined) return known
      const into = (keep ? this.cache.add(tensor, chunk) : undefined) ?? buffer
      this.reader.readRanges(sources[slot]!, elementOffset, ranges, into)
      return into
    })
    const call = { elementCount, offset: 0, columns, inputs, scalars, vectors, outputs: [] }
    return (await kernel.run(call)).map((values) => values.slice())
  }

  private runRange(
    pass: TensorPass,
    { scalars, vectors, columns }: KernelWork,
    compiled: Compiled,
    range: ElementRange,
    codes?: Uint8Array,
  ): RangeResult | Promise<RangeResult> {
    const { start } = range
    const elementCount = range.end - start
    const loaded = this.load(pass, compiled, range)
    const inputs = codes === undefined ? loaded.inputs : [...loaded.inputs, codes]
    if (pass.remembers) this.remembered ??= createChunkCache(this.runtime.allocate(rememberedBytes(this.cacheBytes)))
    const kept = pass.remembers && this.remembered!.add(pass.tensor, rememberedChunk(pass, range))
    const outputs = kept === undefined ? loaded.outputs : [kept]
    const call = { elementCount, offset: start, columns, inputs, scalars, vectors, outputs }
    const running = compiled.kernel.run(call)
    // To wait for what is there takes as long as all else here.
    return running instanceof Promise
      ? running.then((result) => this.finishRange(pass, compiled, call, result))
      : this.finishRange(pass, compiled, call, running)
  }

  /** Writes what a call stored, and counts what isn't finite where something isn't. */
  private finishRange(
    { output, sources, elementOffset = 0 }: TensorPass,
    { uses }: Compiled,
    { elementCount, offset, inputs, outputs }: KernelCall,
    result: KernelResult,
  ): RangeResult {
    if (output === undefined) return { result, nonFinite: undefined }
    for (const elements of outputs) this.write(output, elementOffset + offset, elements)
    if (isFiniteCount(result, elementCount)) return wroteFinite
    const nonFinite = countNonFinite(
      elementCount,
      sources.map(({ dtype }, slot) => (uses[slot] ? { dtype, bytes: inputs[slot]! } : undefined)),
      { dtype: output.dtype, bytes: outputs[0]!, largest: output.rows?.largest },
    )
    return { result: [], nonFinite }
  }

  /** Reads what a call needs, but for what is kept, and makes room for what it stores. */
  private load(
    { tensor, sources, keep, elementOffset = 0 }: TensorPass,
    { uses, stored }: Compiled,
    { start, end }: ElementRange,
  ): { readonly inputs: readonly Uint8Array[]; readonly outputs: readonly Uint8Array[] } {
    const elementCount = end - start
    const first = elementOffset + start
    const looksForKept = keep || this.cache.has(tensor)
    const inputs: Uint8Array[] = []
    /** Those to be read: of the cache's where it has room, else of the scratch. */
    const wanted: number[] = []
    const lengths: number[] = []
    const unplaced: number[] = []
    for (let slot = 0; slot < sources.length; slot++) {
      inputs.push(none)
      if (!uses[slot]) continue
      const byteLength = elementCount * dtypeBytes(sources[slot]!.dtype)
      const chunk = looksForKept ? { slot, start: first, end: first + elementCount, byteLength } : undefined
      const known = chunk && this.cache.get(tensor, chunk)
      if (known === undefined) wanted.push(slot)
      const place = known ?? (keep ? this.cache.add(tensor, chunk!) : undefined)
      if (place !== undefined) inputs[slot] = place
      else {
        unplaced.push(slot)
        lengths.push(byteLength)
      }
    }
    for (let index = 0; index < stored.length; index++) lengths.push(elementCount * stored[index]!)
    const buffers = this.buffers(lengths)
    for (let index = 0; index < unplaced.length; index++) inputs[unplaced[index]!] = buffers[index]!
    for (let index = 0; index < wanted.length; index++) {
      const slot = wanted[index]!
      this.reader.read(sources[slot]!, first, elementCount, inputs[slot]!)
    }
    return { inputs, outputs: unplaced.length === 0 ? buffers : buffers.slice(unplaced.length) }
  }

  private write(output: PassOutput, start: number, elements: Uint8Array): void {
    const { file, byteStart, dtype, rows } = output
    if (rows === undefined) this.writer.write(file, byteStart + start * dtypeBytes(dtype), elements)
    else this.rows!.store(output, rows, start, elements)
  }

  forget(tensor: number): void {
    this.cache.forget(tensor)
    this.remembered?.forget(tensor)
  }

  stop(): void {
    this.stopping ??= this.runtime.close()
    this.stopping.catch(() => {})
  }

  async close(): Promise<void> {
    this.reader.close()
    this.writer.close()
    await (await this.merged)?.close()
    await (await this.factors)?.close()
    await (this.stopping ?? this.runtime.close())
  }
}

/** Where the numbers are that stand for what masks are of a range's elements. */
const rememberedChunk = ({ elementOffset = 0 }: TensorPass, { start, end }: ElementRange) => ({
  slot: 0,
  start: elementOffset + start,
  end: elementOffset + end,
  byteLength: end - start,
})

const none = new Uint8Array(0)
const wroteFinite: RangeResult = { result: [], nonFinite: undefined }
