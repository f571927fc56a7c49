import { decode } from '@mk/tensor'
import { type Block, createSink, type Kernel, type Program, uniformAt } from '@mk/tensor/runtime'
import type { GpuKernel } from './gpu-js.ts'
import type { KernelPlan } from './plan-kernel.ts'

/** Sizes that kernels are compiled for. A block of elements runs in the smallest that holds it, so that short calls stay cheap. */
const SIZES = [2 ** 10, 2 ** 14, 2 ** 17] as const
const LARGEST = SIZES[2]

export interface GpuKernelRunner extends Kernel {
  /** Has it translated and compiled. */
  build(): Promise<void>
}

/**
 * Makes the kernel of a plan.
 * @param createKernel makes what computes so many elements at once
 * @param staging room for so many values to upload; the kernels of a runtime take turns with it
 */
export function createKernelRunner(
  program: Program,
  plan: KernelPlan,
  createKernel: (size: number) => GpuKernel,
  staging: (elementCount: number) => Float32Array,
): GpuKernelRunner {
  const { rows, uploadedRows, numbers, computed } = plan
  const compiled = new Map<number, GpuKernel>()
  const kernelFor = (size: number): GpuKernel => {
    let kernel = compiled.get(size)
    if (kernel === undefined) compiled.set(size, (kernel = createKernel(size)))
    return kernel
  }
  /** The rows of the output. */
  const compute = async (size: number, data: Float32Array, values: Float32Array): Promise<readonly Float32Array[]> => {
    const result = await kernelFor(size)(data, values)
    return computed.length === 1 ? [result as Float32Array] : (result as Float32Array[])
  }
  return {
    async build() {
      if (computed.length === 0) return
      const [size] = SIZES
      await compute(
        size,
        new Float32Array(Math.max(1, uploadedRows) * size),
        new Float32Array(Math.max(1, numbers.length)),
      )
    },
    async run(call) {
      const registers: Float32Array[] = []
      let stores = 0
      const sinks = program.outputs.map((output) => createSink(output, call, output.kind === 'store' ? stores++ : -1))
      const values = new Float32Array(Math.max(1, numbers.length))
      for (let start = 0; start < call.elementCount; start += LARGEST) {
        const count = Math.min(LARGEST, call.elementCount - start)
        const size = SIZES.find((candidate) => count <= candidate)!
        const data = staging(Math.max(1, rows.length) * size)
        const block = { call, start, count, offset: call.offset + start }
        rows.forEach((position, row) => {
          registers[position] = data.subarray(row * size, row * size + count)
          fillRow(program, position, block, registers[position])
        })
        if (computed.length > 0) {
          numbers.forEach((position, index) => {
            values[index] = numberOf(program, position, block)
          })
          const results = await compute(size, data.subarray(0, Math.max(1, uploadedRows) * size), values)
          computed.forEach((position, row) => {
            registers[position] = results[row]!
          })
        }
        for (const sink of sinks) sink.add(registers, block)
      }
      return sinks.map((sink) => sink.finish()).filter((result) => result !== undefined)
    },
  }
}

function fillRow(program: Program, position: number, { call, start, count, offset }: Block, into: Float32Array): void {
  const instruction = program.instructions[position]!
  switch (instruction.op) {
    case 'input':
      return decode(program.inputs[instruction.slot]!, call.inputs[instruction.slot]!, start, into)
    case 'vector':
      return fillVector(call.vectors[instruction.slot]!, program.vectors[instruction.slot]!, offset, call.columns, into)
    case 'uniform': {
      const key = { high: call.scalars[instruction.high]!, low: call.scalars[instruction.low]! }
      for (let i = 0; i < count; i++) into[i] = uniformAt(key, offset + i)
      return
    }
    default:
  }
}

function fillVector(
  values: Float32Array,
  per: 'row' | 'column',
  offset: number,
  columns: number,
  into: Float32Array,
): void {
  let row = Math.floor(offset / columns)
  let column = offset % columns
  for (let i = 0; i < into.length; row++, column = 0) {
    const length = Math.min(columns - column, into.length - i)
    if (per === 'row') into.fill(values[row]!, i, i + length)
    else into.set(values.subarray(column, column + length), i)
    i += length
  }
}

/** The end of a `before` is counted from the start of the block. */
function numberOf(program: Program, position: number, { call, count, offset }: Block): number {
  const instruction = program.instructions[position]!
  if (instruction.op === 'scalar') return call.scalars[instruction.slot]!
  if (instruction.op === 'before')
    return Math.min(Math.max(Math.ceil(call.scalars[instruction.slot]! - offset), 0), count)
  return NaN
}
