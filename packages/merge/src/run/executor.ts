import { createSourceReader, type SourceReader } from '@mk/checkpoint'
import { dtypeBytes } from '@mk/safetensors'
import { type ElementRange, type Kernel, type KernelResult, type ProgramOutput, type Runtime, usedInputs } from '@mk/tensor'
import { type ChunkCache, createChunkCache } from './chunk-cache.ts'
import { createOutputWriter, type OutputWriter } from './output-writer.ts'
import type { ChunkTask, RuntimeSpecifier, TaskExecutor, TaskOutput } from './task.ts'

interface CompiledTask {
  readonly kernel: Kernel
  readonly used: ReadonlySet<number>
  readonly stores: readonly Extract<ProgramOutput, { kind: 'store' }>[]
}

/** Buffers start at multiples of this, so that vector loads are aligned. */
const alignment = 64

export async function openRuntime({ module, factory, options }: RuntimeSpecifier): Promise<Runtime> {
  const exports = (await import(module)) as Record<string, (options?: unknown) => Runtime | Promise<Runtime>>
  const create = exports[factory]
  if (create === undefined) throw new TypeError(`${module} has no export '${factory}'`)
  return create(options)
}

/** Carries out tasks in this thread, with one runtime and one set of buffers, all bounded by the size of a chunk. */
export async function createExecutor(specifier: RuntimeSpecifier, { cacheBytes }: { cacheBytes: number }): Promise<TaskExecutor> {
  return new Executor(await openRuntime(specifier), cacheBytes)
}

class Executor implements TaskExecutor {
  private readonly runtime: Runtime
  private readonly cache: ChunkCache
  private readonly reader: SourceReader = createSourceReader()
  private readonly writer: OutputWriter = createOutputWriter()
  private readonly programs = new Map<string, { readonly kernel: Promise<Kernel>; readonly used: ReadonlySet<number> }>()
  private scratch: Uint8Array = new Uint8Array(0)

  constructor(runtime: Runtime, cacheBytes: number) {
    this.runtime = runtime
    this.cache = createChunkCache(runtime.allocate(cacheBytes))
  }

  async run(task: ChunkTask) {
    if (task.program === undefined) {
      for (const range of task.ranges) this.copy(task, range)
      return { results: [] }
    }
    let known = this.programs.get(task.programKey)
    if (known === undefined) {
      known = { kernel: this.runtime.compile(task.program), used: new Set(usedInputs(task.program)) }
      this.programs.set(task.programKey, known)
    }
    const kernel = await known.kernel
    const stores = task.program.outputs.filter((output) => output.kind === 'store')
    const results: { range: number; result: KernelResult }[] = []
    for (const [index, range] of task.ranges.entries()) {
      const result = await this.runRange(task, { kernel, used: known.used, stores }, range)
      if (result.length === 0) continue
      const last = results.at(-1)
      if (last !== undefined && task.groups[last.range] === task.groups[index]) addTo(last.result, result)
      else results.push({ range: index, result: result.map((values) => values.slice()) })
    }
    return { results }
  }

  private copy(task: ChunkTask, { start, end }: ElementRange): void {
    const source = task.sources[0]!
    const elementBytes = dtypeBytes(source.dtype)
    const buffer = this.buffers([(end - start) * elementBytes])[0]!
    this.reader.read(source, start, end - start, buffer)
    this.write(task.output!, start * elementBytes, buffer)
  }

  private async runRange(task: ChunkTask, { kernel, used, stores }: CompiledTask, { start, end }: ElementRange): Promise<KernelResult> {
    const elementCount = end - start
    const key = (slot: number) => `${start}-${end}/${slot}`
    const known = task.sources.map((_, slot) => this.cache.get(task.tensor, key(slot)))
    const inputBytes = task.sources.map(({ dtype }) => elementCount * dtypeBytes(dtype))
    const kept = inputBytes.map((bytes, slot) => known[slot] ?? (task.keep && used.has(slot) ? this.cache.add(task.tensor, key(slot), bytes) : undefined))
    const buffers = this.buffers([
      ...inputBytes.map((bytes, slot) => (kept[slot] === undefined ? bytes : 0)),
      ...stores.map(({ dtype }) => elementCount * dtypeBytes(dtype)),
    ])
    const inputs = task.sources.map((source, slot) => {
      const buffer = kept[slot] ?? buffers[slot]!
      if (known[slot] === undefined && used.has(slot)) this.reader.read(source, start, elementCount, buffer)
      return buffer
    })
    const outputs = buffers.slice(inputs.length)
    const { scalars, vectors, columns } = task
    const result = await kernel.run({ elementCount, offset: start, columns, inputs, scalars, vectors, outputs })
    stores.forEach(({ dtype }, index) => this.write(task.output!, start * dtypeBytes(dtype), outputs[index]!))
    return result
  }

  private write({ file, byteStart }: TaskOutput, offset: number, bytes: Uint8Array): void {
    this.writer.write(file, byteStart + offset, bytes)
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
    await this.runtime.close()
  }
}

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
