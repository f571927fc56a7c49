import { type Dtype, dtypeBytes, elementCount as countElements } from '@mk/safetensors'
import { type ElementRange, planChunks } from './chunks.ts'
import { createSession } from './create-session.ts'
import { TensorError } from '../errors.ts'
import type { Operand } from '../language/operations.ts'
import { programKey } from '../program/format-program.ts'
import { lower } from '../program/lower.ts'
import { matrixColumns } from '../program/matrix-columns.ts'
import { needsWholeRows, usedInputs } from '../program/requirements.ts'
import type { Program } from '../program/program.ts'
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
  const compile = (program: Program) => {
    const key = programKey(program)
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
    const kernel = await compile(stage.program)
    const used = new Set(usedInputs(stage.program))
    for (const [index, range] of stage.ranges.entries()) {
      if (signal !== undefined) await letEventsIn(signal)
      const { start, end } = range
      const parts: Uint8Array[] = []
      for (const slot of inputs.keys()) parts.push(used.has(slot) ? await partOf(slot, range) : nothing)
      const outputs = into === undefined ? [] : [into.bytesOf(range)]
      onResult(
        index,
        await kernel.run({
          elementCount: end - start,
          offset: start,
          columns: stage.columns,
          inputs: parts,
          scalars: stage.scalars,
          vectors: stage.vectors,
          outputs,
        }),
      )
      await into?.write?.(start * dtypeBytes(into.dtype), outputs[0]!)
    }
  }
  const evaluate = async (value: Operand, dtype: Dtype, into: Omit<Parameters<typeof run>[2] & object, 'dtype'>) => {
    const lowered = lower({ stores: [{ value, dtype }] }, inputDtypes)
    const columns = matrixColumns(lowered, shape)
    const ranges = planChunks(elementCount, columns, needsWholeRows(lowered.program))
    await run({ ...lowered, columns, ranges, groupSize: 1 }, () => {}, { dtype, ...into })
  }
  return {
    ...createSession({ shape, inputDtypes, runStage: run }),
    async evaluate(value, dtype) {
      const bytes = new Uint8Array(elementCount * dtypeBytes(dtype))
      await evaluate(value, dtype, { bytesOf: (range) => partOfArray({ dtype, bytes }, range) })
      return bytes
    },
    evaluateInto(value, dtype, write) {
      const buffer = createBuffer()
      return evaluate(value, dtype, { bytesOf: ({ start, end }) => buffer((end - start) * dtypeBytes(dtype)), write })
    },
  }
}

const nothing = new Uint8Array(0)

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
