import { dtypeBytes } from '@mk/safetensors'
import type { MergedSource, ReadElements, SourceReader } from '@mk/source'
import { CHUNK_ELEMENTS, type Kernel, type KernelResult, type Runtime, usedInputs } from '@mk/tensor/runtime'
import { createBufferPool } from './buffer-pool.ts'
import type { KernelWork, MergedWork } from './task.ts'

/** Computes the tensors of other merges while sources are read, a chunk at a time. */
export interface MergedComputer {
  /** Makes known what computes them, for the reading up to the next call, and compiles it. */
  use(merged: readonly MergedWork[]): Promise<void>
  readonly read: ReadElements<MergedSource>
  close(): Promise<void>
}

interface Compiled {
  readonly kernel: Kernel
  readonly used: ReadonlySet<number>
}

/** Elements that were computed last, for the next who asks for them. */
interface Kept {
  readonly start: number
  readonly end: number
  readonly buffer: Uint8Array
  /** How many are using them just now. */
  users: number
}

/** An input of a kernel call: lent for the call, or a part of what is kept. */
interface Input {
  readonly bytes: Uint8Array
  readonly kept?: Kept
}

/**
 * Creates a computer that has nothing to compute yet.
 * @param runtime gives results at once
 * @param reader of the sources; its merged ones come back to this computer
 */
export function createMergedComputer(runtime: Runtime, reader: SourceReader): MergedComputer {
  const pool = createBufferPool((byteLength) => runtime.allocate(byteLength))
  const programs = new Map<string, Promise<Compiled>>()
  const compiled = new Map<string, Compiled>()
  let works = new Map<string, MergedWork>()
  let known: readonly MergedWork[] = []
  const keptOf = new Map<MergedWork, Kept>()

  const compile = async ({ program, programKey }: KernelWork): Promise<void> => {
    const compiling =
      programs.get(programKey) ??
      runtime.compile(program).then((kernel) => ({ kernel, used: new Set(usedInputs(program)) }))
    programs.set(programKey, compiling)
    compiled.set(programKey, await compiling)
  }

  /** Reads a source into a buffer of its own, or finds what was kept. */
  function inputOf(work: MergedWork, slot: number, start: number, end: number): Input {
    const source = work.sources[slot]!
    const inner = source.kind === 'merged' ? works.get(keyOf(source)) : undefined
    const kept = inner && keep(inner, start, end)
    if (kept !== undefined) {
      kept.users++
      return { bytes: partOf(inner!, kept, start, end), kept }
    }
    const bytes = pool.take((end - start) * dtypeBytes(source.dtype))
    reader.read(source, start, end - start, bytes)
    return { bytes }
  }

  /** Computes what is worth keeping, unless it is kept already, and as long as nobody is using what was. */
  function keep(work: MergedWork, start: number, end: number): Kept | undefined {
    if (!work.isShared && !work.wholeRows) return undefined
    const last = keptOf.get(work)
    if (last !== undefined && last.start <= start && end <= last.end) return last
    const [from, to] = wholeRange(work, start, end)
    if (to - from > Math.max(CHUNK_ELEMENTS, rowOf(work)) || (last !== undefined && last.users > 0)) return undefined
    keptOf.delete(work)
    if (last !== undefined) pool.give(last.buffer)
    const buffer = pool.take((to - from) * dtypeBytes(work.dtype))
    run(work, from, to, buffer)
    const now = { start: from, end: to, buffer, users: 0 }
    keptOf.set(work, now)
    return now
  }

  /** @param start at the beginning of a row where whole rows are needed, as `end` at the end of one */
  function run(work: MergedWork, start: number, end: number, into: Uint8Array): void {
    if (work.work.kind === 'copy') return reader.read(work.sources[work.work.input]!, start, end - start, into)
    const { programKey, scalars, vectors, columns } = work.work
    const { kernel, used } = compiled.get(programKey)!
    const found = work.sources.map((_, slot) => (used.has(slot) ? inputOf(work, slot, start, end) : none))
    const inputs = found.map(({ bytes }) => bytes)
    const call = { elementCount: end - start, offset: start, columns, inputs, scalars, vectors, outputs: [into] }
    const result: KernelResult | Promise<KernelResult> = kernel.run(call)
    if (result instanceof Promise) throw new TypeError(`the runtime ${runtime.name} gives promises`)
    for (const { bytes, kept } of found) {
      if (kept === undefined) pool.give(bytes)
      else kept.users--
    }
  }

  function read(source: MergedSource, start: number, count: number, into: Uint8Array): void {
    const work = works.get(keyOf(source))
    if (work === undefined) throw new TypeError(`nothing computes ${source.tensor} of ${source.stage} here`)
    const size = dtypeBytes(work.dtype)
    const step = stepOf(work)
    for (let from = start; from < start + count;) {
      const to = Math.min(start + count, (Math.floor(from / step) + 1) * step)
      readStep(work, from, to, into.subarray((from - start) * size, (to - start) * size))
      from = to
    }
  }

  function readStep(work: MergedWork, start: number, end: number, into: Uint8Array): void {
    const kept = keep(work, start, end)
    if (kept !== undefined) return into.set(partOf(work, kept, start, end))
    const [from, to] = wholeRange(work, start, end)
    if (from === start && to === end) return run(work, start, end, into)
    const whole = pool.take((to - from) * dtypeBytes(work.dtype))
    run(work, from, to, whole)
    into.set(partOf(work, { start: from, buffer: whole }, start, end))
    pool.give(whole)
  }

  return {
    async use(merged) {
      if (merged === known) return
      for (const { work } of merged) if (work.kind === 'kernel') await compile(work)
      for (const { buffer } of keptOf.values()) pool.give(buffer)
      keptOf.clear()
      works = new Map(merged.map((work) => [keyOf(work), work]))
      known = merged
    },
    read,
    async close() {},
  }
}

const none: Input = { bytes: new Uint8Array(0) }

function partOf(
  { dtype }: MergedWork,
  { start: from, buffer }: Pick<Kept, 'start' | 'buffer'>,
  start: number,
  end: number,
): Uint8Array {
  const size = dtypeBytes(dtype)
  return buffer.subarray((start - from) * size, (end - from) * size)
}

const keyOf = ({ stage, tensor }: Pick<MergedSource, 'stage' | 'tensor'>): string => `${stage}\n${tensor}`

const rowOf = ({ work }: MergedWork): number => (work.kind === 'kernel' ? work.columns : 1)

/** Elements that are computed at once at most: a chunk, in whole rows where there have to be such. */
function stepOf(work: MergedWork): number {
  if (!work.wholeRows) return CHUNK_ELEMENTS
  const row = rowOf(work)
  return Math.max(1, Math.floor(CHUNK_ELEMENTS / row)) * row
}

function wholeRange(work: MergedWork, start: number, end: number): readonly [number, number] {
  if (!work.wholeRows) return [start, end]
  const row = rowOf(work)
  return [Math.floor(start / row) * row, Math.min(work.elementCount, Math.ceil(end / row) * row)]
}
