import { type Dtype, dtypeBytes, elementCount as countElements } from '@mk/safetensors'
import { type BlockPlan, blockRanges, createBlockBuilder } from '../blocks/block-plan.ts'
import { type BlockHost, openBlocks, runCrossSteps } from '../blocks/run-blocks.ts'
import { type ElementRange, planChunks, rangeElements } from './chunks.ts'
import { createSession } from './create-session.ts'
import { TensorError } from '../errors.ts'
import type { Operand } from '../language/operations.ts'
import { type Lowered, lower } from '../program/lower.ts'
import { matrixColumns } from '../program/matrix-columns.ts'
import { needsWholeRows, usedInputs } from '../program/requirements.ts'
import { createReferenceRuntime } from '../reference/reference-runtime.ts'
import type { Kernel, KernelResult, Runtime } from '../runtime/runtime.ts'
import type { Session } from './session.ts'
import type { Stage } from './stage.ts'

/** A whole tensor in memory: its stored little-endian bytes. */
export interface ArrayInput {
  readonly dtype: Dtype
  readonly bytes: Uint8Array
}

/** A whole tensor that is read part by part, each as often as it is gone through. */
export interface StreamedInput {
  readonly dtype: Dtype
  /** Fills `into` with the stored bytes from `byteStart` on. */
  read(byteStart: number, into: Uint8Array): void | Promise<void>
}

/** Takes stored bytes, from the first on in their order; they are the caller's again once it has returned. */
export type TakeBytes = (byteStart: number, bytes: Uint8Array) => void | Promise<void>

export interface ArraySession extends Session {
  /** Evaluates an expression for all elements. @returns their stored bytes */
  evaluate(value: Operand, dtype: Dtype): Promise<Uint8Array>
  /** Evaluates an expression part by part, without holding all of it. */
  evaluateInto(value: Operand, dtype: Dtype, write: TakeBytes): Promise<void>
}

/** What keeps the thread longer than that between two events would make a page stutter, and a signal late. */
const longestTurn = 30

/**
 * Creates a session over tensors in memory, for use without files or workers. The inputs stay the caller's and are read at every call.
 * With a signal, what takes long lets other events in and rejects with the signal's reason when it fires.
 * @throws TensorError 'input-bytes' if an input isn't as long as the shape says
 */
export function createArraySession({
  shape,
  inputs,
  runtime = createReferenceRuntime(),
  signal,
}: {
  readonly shape: readonly number[]
  readonly inputs: readonly (ArrayInput | StreamedInput)[]
  readonly runtime?: Runtime
  readonly signal?: AbortSignal
}): ArraySession {
  const inputDtypes = inputs.map(({ dtype }) => dtype)
  const elementCount = countElements(shape)
  inputs.forEach((input, slot) => {
    const { dtype } = input
    const expected = elementCount * dtypeBytes(dtype)
    if ('bytes' in input && input.bytes.byteLength !== expected)
      throw new TensorError({ code: 'input-bytes', slot, dtype, expected, got: input.bytes.byteLength })
  })
  const partOf = createPartReader(inputs)
  const kernels = new Map<string, Promise<Kernel>>()
  const compile = ({ program, key }: Lowered) => {
    const kernel = kernels.get(key) ?? runtime.compile(program)
    kernels.set(key, kernel)
    return kernel
  }
  let turnStart = performance.now()
  const letEventsIn = async (signal: AbortSignal) => {
    if (performance.now() - turnStart > longestTurn) {
      await new Promise((resolve) => setTimeout(resolve))
      turnStart = performance.now()
    }
    signal.throwIfAborted()
  }
  const run = async (
    stage: Stage,
    onResult: (index: number, result: KernelResult) => void,
    into?: { readonly dtype: Dtype; readonly bytesOf: (range: ElementRange) => Uint8Array; readonly write?: TakeBytes },
  ) => {
    const kernel = await compile(stage)
    const used = new Set(usedInputs(stage.program))
    if (stage.gathered) return onResult(0, owned(await runGathered(stage, kernel, used)))
    for (const [index, range] of stage.ranges.entries()) {
      if (signal !== undefined) await letEventsIn(signal)
      const { start, end } = range
      const parts: Uint8Array[] = []
      for (const slot of inputs.keys()) parts.push(used.has(slot) ? await partOf(slot, range) : nothing)
      const outputs = into === undefined ? [] : [into.bytesOf(range)]
      onResult(
        index,
        owned(
          await kernel.run({
            elementCount: end - start,
            offset: start,
            columns: stage.columns,
            inputs: parts,
            scalars: stage.scalars,
            vectors: stage.vectors,
            outputs,
          }),
        ),
      )
      await into?.write?.(start * dtypeBytes(into.dtype), outputs[0]!)
    }
  }
  const runGathered = async (
    { ranges, columns, scalars, vectors }: Stage,
    kernel: Kernel,
    used: ReadonlySet<number>,
  ) => {
    const parts: Uint8Array[] = []
    const elementCount = rangeElements(ranges)
    for (const [slot, { dtype }] of inputs.entries()) {
      const size = dtypeBytes(dtype)
      const part = used.has(slot) ? new Uint8Array(elementCount * size) : nothing
      if (used.has(slot)) {
        let position = 0
        for (const range of ranges) {
          part.set(await partOf(slot, range), position)
          position += (range.end - range.start) * size
        }
      }
      parts.push(part)
    }
    return kernel.run({ elementCount, offset: 0, columns, inputs: parts, scalars, vectors, outputs: [] })
  }
  const host: BlockHost = {
    runtime,
    inputBytes: inputDtypes.map(dtypeBytes),
    read(slot, start, bytes) {
      const stored = inputs[slot]!
      const byteStart = start * dtypeBytes(stored.dtype)
      if (!('bytes' in stored)) return stored.read(byteStart, bytes)
      bytes.set(stored.bytes.subarray(byteStart, byteStart + bytes.length))
    },
  }
  const letIn = signal && (() => letEventsIn(signal))
  const evaluateBlocks = async (plan: BlockPlan, dtype: Dtype, take: TakeBytes) => {
    const open = await openBlocks(plan, host)
    for (const range of blockRanges(plan)) {
      await letIn?.()
      await open.run(range, ({ start, outputs }) => take(start * dtypeBytes(dtype), outputs[0]!))
    }
  }
  /** The blocks that a value with products of matrices is computed in; undefined where it has none. */
  const blocksOf = (value: Operand, dtype: Dtype): BlockPlan | undefined => {
    const request = { stores: [{ value, dtype }], products: true }
    if (lower(request, inputDtypes).products === undefined) return undefined
    const builder = createBlockBuilder(shape, inputDtypes)
    builder.outputs(request)
    return builder.finish()
  }
  const evaluate = async (value: Operand, dtype: Dtype, into: Omit<Parameters<typeof run>[2] & object, 'dtype'>) => {
    const lowered = lower({ stores: [{ value, dtype }] }, inputDtypes)
    const columns = matrixColumns(lowered, shape)
    const ranges = planChunks(elementCount, columns, needsWholeRows(lowered.program))
    await run({ ...lowered, columns, ranges, groupSize: 1 }, () => {}, { dtype, ...into })
  }
  const evaluateWhole = async (value: Operand, dtype: Dtype) => {
    const bytes = new Uint8Array(elementCount * dtypeBytes(dtype))
    const blocks = blocksOf(value, dtype)
    if (blocks === undefined) await evaluate(value, dtype, { bytesOf: (range) => partOfArray({ dtype, bytes }, range) })
    else await evaluateBlocks(blocks, dtype, (byteStart, part) => bytes.set(part, byteStart))
    return bytes
  }
  return {
    ...createSession({
      shape,
      inputDtypes,
      runStage: run,
      runProducts: (plan, requests, ranges) => runCrossSteps(plan, requests, ranges, { host, ...(letIn && { letIn }) }),
    }),
    evaluate: evaluateWhole,
    async evaluateInto(value, dtype, write) {
      const blocks = blocksOf(value, dtype)
      // What comes by columns is put together by rows first.
      if (blocks?.on === 'rows') return write(0, await evaluateWhole(value, dtype))
      if (blocks !== undefined) return evaluateBlocks(blocks, dtype, write)
      const buffer = createBuffer()
      return evaluate(value, dtype, { bytesOf: ({ start, end }) => buffer((end - start) * dtypeBytes(dtype)), write })
    },
  }
}

const nothing = new Uint8Array(0)

/** Counts as they are after a call: their arrays may be those of the next. */
const owned = (result: KernelResult): KernelResult =>
  result.map((values) => (values instanceof Uint32Array ? values.slice() : values))

const partOfArray = ({ bytes, dtype }: ArrayInput, { start, end }: ElementRange): Uint8Array =>
  bytes.subarray(start * dtypeBytes(dtype), end * dtypeBytes(dtype))

/** What is read part by part needs room for one part of each input. */
function createPartReader(
  inputs: readonly (ArrayInput | StreamedInput)[],
): (slot: number, range: ElementRange) => Uint8Array | Promise<Uint8Array> {
  const buffers = inputs.map(createBuffer)
  return (slot, range) => {
    const input = inputs[slot]!
    if ('bytes' in input) return partOfArray(input, range)
    const size = dtypeBytes(input.dtype)
    const part = buffers[slot]!((range.end - range.start) * size)
    const reading = input.read(range.start * size, part)
    return reading === undefined ? part : reading.then(() => part)
  }
}

/** Gives the beginning of one buffer, which grows where more is wanted than before. */
function createBuffer(): (byteLength: number) => Uint8Array {
  let buffer = nothing
  return (byteLength) => {
    if (buffer.length < byteLength) buffer = new Uint8Array(byteLength)
    return buffer.subarray(0, byteLength)
  }
}
