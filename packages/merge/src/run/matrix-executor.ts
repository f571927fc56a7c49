import { carryOut } from '@mk/linalg'
import { dtypeBytes } from '@mk/safetensors'
import type { SourceReader, TensorSource } from '@mk/source'
import { decode } from '@mk/tensor'
import {
  type BlockHost,
  type BlockPlan,
  type ElementRange,
  openBlocks,
  type OpenBlocks,
  runCrossSteps,
  type Runtime,
} from '@mk/tensor/runtime'
import { addCounts, countNonFinite, isAny, isFiniteCount, type NonFiniteCounts } from './non-finite.ts'
import type { MatrixTask, PassOutput, PassWork, TaskResult, TensorPass } from './task.ts'

/** Carries out what works on whole matrices, block by block, or on matrices in memory. */
export interface MatrixExecutor {
  run(
    pass: TensorPass,
    work: Extract<PassWork, { kind: 'blocks' | 'cross' | 'read' }>,
    ranges: readonly ElementRange[],
  ): Promise<TaskResult>
  carryOut(task: MatrixTask): Promise<TaskResult>
}

/** With what it works; `start` is a flat index of the tensor. */
interface MatrixParts {
  readonly runtime: Runtime
  readonly reader: SourceReader
  readonly write: (output: PassOutput, start: number, elements: Uint8Array) => void
}

/** Makes what carries out the blocks of a pass. */
export function blockHost(
  runtime: Runtime,
  reader: Pick<SourceReader, 'read'>,
  { sources, elementOffset = 0 }: TensorPass,
): BlockHost {
  const sizes = sources.map(({ dtype }) => dtypeBytes(dtype))
  return {
    runtime,
    inputBytes: sizes,
    read: (slot, start, into) => reader.read(sources[slot]!, elementOffset + start, into.length / sizes[slot]!, into),
  }
}

function readRange(
  reader: Pick<SourceReader, 'read'>,
  source: TensorSource,
  { start, end }: ElementRange,
): Float64Array {
  const count = end - start
  const bytes = new Uint8Array(count * dtypeBytes(source.dtype))
  reader.read(source, start, count, bytes)
  if (source.dtype === 'F64') return new Float64Array(bytes.buffer)
  const values = new Float32Array(count)
  decode(source.dtype, bytes, 0, values)
  return Float64Array.from(values)
}

/** Creates an executor that keeps the buffers of the plan that it wrote last. */
export function createMatrixExecutor({ runtime, reader, write }: MatrixParts): MatrixExecutor {
  let last: { readonly plan: BlockPlan; readonly open: Promise<OpenBlocks> } | undefined

  async function writeBlocks(pass: TensorPass, plan: BlockPlan, ranges: readonly ElementRange[]): Promise<TaskResult> {
    const { sources, elementOffset = 0 } = pass
    const output = pass.output!
    if (last?.plan !== plan) last = { plan, open: openBlocks(plan, blockHost(runtime, reader, pass)) }
    const blocks = await last.open
    let nonFinite: NonFiniteCounts | undefined
    for (const range of ranges) {
      await blocks.run(range, ({ start, elementCount, inputs, outputs, result }) => {
        const elements = outputs[0]!
        write(output, elementOffset + start, elements)
        if (isFiniteCount(result, elementCount)) return
        const { dtype, rows } = output
        const found = countNonFinite(
          elementCount,
          sources.map(({ dtype: stored }, slot) =>
            inputs[slot]!.length > 0 ? { dtype: stored, bytes: inputs[slot]! } : undefined,
          ),
          { dtype, bytes: elements, largest: rows?.largest },
        )
        if (isAny(found)) nonFinite = addCounts(nonFinite, found)
      })
    }
    return { results: [], nonFinite }
  }

  return {
    async run(pass, work, ranges) {
      if (work.kind === 'read') {
        const values = readRange(reader, pass.sources[work.input]!, ranges[0]!)
        return { results: [{ range: 0, result: [values] }] }
      }
      if (work.kind === 'blocks') return writeBlocks(pass, work.plan, ranges)
      const result = await runCrossSteps(work.plan, work.requests, ranges, {
        host: blockHost(runtime, reader, pass),
      })
      return { results: [{ range: 0, result }] }
    },
    async carryOut({ job }) {
      return { results: [{ range: 0, result: await carryOut(job, runtime) }] }
    },
  }
}
