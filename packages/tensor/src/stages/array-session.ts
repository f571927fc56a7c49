import { type Dtype, dtypeBytes, elementCount as countElements } from '@mk/safetensors'
import { planChunks } from './chunks.ts'
import { createSession } from './create-session.ts'
import { TensorError } from '../errors.ts'
import type { Operand } from '../language/operations.ts'
import { programKey } from '../program/format-program.ts'
import { lower } from '../program/lower.ts'
import { matrixColumns } from '../program/matrix-columns.ts'
import { needsWholeRows } from '../program/requirements.ts'
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

export interface ArraySession extends Session {
  /** Evaluates an expression for all elements. @returns their stored bytes */
  evaluate(value: Operand, dtype: Dtype): Promise<Uint8Array>
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
  readonly inputs: readonly ArrayInput[]
  readonly runtime?: Runtime
  readonly signal?: AbortSignal
}): ArraySession {
  const inputDtypes = inputs.map(({ dtype }) => dtype)
  const elementCount = countElements(shape)
  inputs.forEach(({ dtype, bytes }, slot) => {
    const expected = elementCount * dtypeBytes(dtype)
    if (bytes.byteLength !== expected)
      throw new TensorError({ code: 'input-bytes', slot, dtype, expected, got: bytes.byteLength })
  })
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
  const run = async (stage: Stage, onResult: (index: number, result: KernelResult) => void, into?: ArrayInput) => {
    const kernel = await compile(stage.program)
    for (const [index, { start, end }] of stage.ranges.entries()) {
      if (signal !== undefined) await letEventsIn(signal)
      const part = (bytes: Uint8Array, dtype: Dtype) =>
        bytes.subarray(start * dtypeBytes(dtype), end * dtypeBytes(dtype))
      onResult(
        index,
        await kernel.run({
          elementCount: end - start,
          offset: start,
          columns: stage.columns,
          inputs: inputs.map(({ bytes, dtype }) => part(bytes, dtype)),
          scalars: stage.scalars,
          vectors: stage.vectors,
          outputs: into === undefined ? [] : [part(into.bytes, into.dtype)],
        }),
      )
    }
  }
  return {
    ...createSession({ shape, inputDtypes, runStage: run }),
    async evaluate(value, dtype) {
      const lowered = lower({ stores: [{ value, dtype }] }, inputDtypes)
      const columns = matrixColumns(lowered, shape)
      const bytes = new Uint8Array(elementCount * dtypeBytes(dtype))
      const ranges = planChunks(elementCount, columns, needsWholeRows(lowered.program))
      await run({ ...lowered, columns, ranges, groupSize: 1 }, () => {}, { bytes, dtype })
      return bytes
    },
  }
}
