import { dtypeBytes } from '@mk/safetensors'
import type { ProductKernel } from '../product/product.ts'
import { usedInputs } from '../program/requirements.ts'
import type { Kernel, KernelResult, Runtime } from '../runtime/runtime.ts'
import { CHUNK_ELEMENTS, type ElementRange } from '../stages/chunks.ts'
import type { BlockPlan, BlockStep, CrossStep, ElementStep, TimesStep } from './block-plan.ts'

/** Where a kernel call of the last step goes to: the elements that it stored, and what it reduced; they hold until the next one. */
type TakeCall = (call: {
  readonly start: number
  readonly elementCount: number
  readonly inputs: readonly Uint8Array[]
  readonly outputs: readonly Uint8Array[]
  readonly result: KernelResult
}) => void | Promise<void>

/** What a plan needs of whoever carries it out. */
export interface BlockHost {
  readonly runtime: Runtime
  /** Bytes of an element of each input of the tensor. */
  readonly inputBytes: readonly number[]
  /** Fills `into` with the stored elements of an input from the one of that flat index on. */
  read(slot: number, start: number, into: Uint8Array): void | Promise<void>
}

/** A plan whose kernels are compiled, with the buffers of one block. */
export interface OpenBlocks {
  /**
   * Computes the steps of one block.
   * @param range one of `blockRanges`
   * @param take gets the calls of the last step, which must have outputs of its own; absent: it is computed like the others
   */
  run(range: ElementRange, take?: TakeCall): Promise<void>
  /** Gives the elements of a step of the last block: on 'columns' as lines × width, else width × lines. */
  values(step: number): { readonly values: Float32Array; readonly width: number; readonly lines: number }
}

/** Elements that lie together, and where they lie in the block. */
interface Piece {
  readonly start: number
  readonly count: number
  readonly at: number
}

const plain = { dtype: 'F32', transposed: false } as const

/** Compiles what a plan needs. @throws TensorError 'unsupported-program' */
export async function openBlocks(plan: BlockPlan, { runtime, inputBytes, read }: BlockHost): Promise<OpenBlocks> {
  const { on, rows, columns, steps } = plan
  const across = on === 'columns' ? columns : rows
  const kernels = new Map<ElementStep, { readonly kernel: Kernel; readonly used: ReadonlySet<number> }>()
  for (const step of steps)
    if (step.kind === 'elements' && !kernels.has(step))
      kernels.set(step, { kernel: await runtime.compile(step.program), used: new Set(usedInputs(step.program)) })
  const hasProducts = steps.some(({ kind }) => kind === 'times')
  const product = hasProducts ? await runtime.compileProduct({ left: plain, right: plain, result: 'F32' }) : undefined
  const widths = steps.map((step) => (step.kind === 'elements' ? across : on === 'columns' ? step.columns : step.rows))
  const buffers = steps.map(() => new Float32Array(0))
  const scratch = new Map<string, Uint8Array>()
  const room = (name: string, byteLength: number): Uint8Array => {
    let buffer = scratch.get(name)
    if (buffer === undefined || buffer.length < byteLength) scratch.set(name, (buffer = new Uint8Array(byteLength)))
    return buffer.subarray(0, byteLength)
  }
  let lines = 0

  const buffer = (index: number): Float32Array => {
    const length = widths[index]! * lines
    if (buffers[index]!.length < length) buffers[index] = new Float32Array(length)
    return buffers[index]!.subarray(0, length)
  }

  const elements = async (step: ElementStep, index: number, pieces: readonly Piece[], take?: TakeCall) => {
    const { kernel, used } = kernels.get(step)!
    const stores = step.program.outputs.filter((output) => output.kind === 'store')
    const into = take === undefined ? bytesOf(buffer(index)) : undefined
    for (const { start, count, at } of pieces) {
      const inputs: Uint8Array[] = []
      for (const [slot, size] of inputBytes.entries()) {
        const bytes = used.has(slot) ? room(`input ${slot}`, count * size) : nothing
        if (used.has(slot)) await read(slot, start, bytes)
        inputs.push(bytes)
      }
      for (const from of step.products) inputs.push(bytesOf(buffer(from)).subarray(4 * at, 4 * (at + count)))
      const outputs =
        into === undefined
          ? stores.map(({ dtype }, output) => room(`output ${output}`, count * dtypeBytes(dtype)))
          : [into.subarray(4 * at, 4 * (at + count))]
      const { scalars, vectors } = step
      const call = { elementCount: count, offset: start, columns, inputs, scalars, vectors, outputs }
      const result = await kernel.run(call)
      await take?.({ start, elementCount: count, inputs, outputs, result })
    }
  }

  const times = async ({ value, matrix, rows: height, columns: width }: TimesStep, index: number) => {
    const [from, into] = [bytesOf(buffer(value)), bytesOf(buffer(index))]
    await product!.run(
      on === 'columns'
        ? { rows: lines, columns: width, depth: height, left: from, right: bytesOf(matrix), into }
        : { rows: height, columns: lines, depth: width, left: bytesOf(matrix), right: from, into },
    )
  }

  return {
    async run(range, take) {
      const [first, end] = [range.start / across, range.end / across]
      lines = end - first
      const pieces = piecesOf(plan, first, end)
      for (const [index, step] of steps.entries()) {
        const isLast = index === steps.length - 1
        if (step.kind === 'times') await times(step, index)
        else await elements(step, index, pieces, isLast ? take : undefined)
      }
    },
    values: (step) => ({ values: buffer(step), width: widths[step]!, lines }),
  }
}

/** Cuts a block into what kernels are called for: rows or parts of them that lie together, at most CHUNK_ELEMENTS but for a whole row. */
function piecesOf({ on, rows, columns }: BlockPlan, first: number, end: number): Piece[] {
  if (on === 'columns' || end - first === columns) {
    const [top, bottom] = on === 'columns' ? [first, end] : [0, rows]
    const step = Math.max(1, Math.floor(CHUNK_ELEMENTS / columns))
    const pieces: Piece[] = []
    for (let row = top; row < bottom; row += step) {
      const count = (Math.min(row + step, bottom) - row) * columns
      pieces.push({ start: row * columns, count, at: (row - top) * columns })
    }
    return pieces
  }
  return Array.from({ length: rows }, (_, row) => ({
    start: row * columns + first,
    count: end - first,
    at: row * (end - first),
  }))
}

/** Rows of a symmetric result that are computed together, so that half of it is spared. */
const STRIPE = 512

/**
 * Computes cross products over all blocks of a plan.
 * @param letIn called between blocks
 * @returns a matrix for each request, row-major, of the lefts' width × the rights'
 */
export async function runCrossSteps(
  plan: BlockPlan,
  requests: readonly CrossStep[],
  ranges: readonly ElementRange[],
  { host, letIn }: { readonly host: BlockHost; readonly letIn?: () => void | Promise<void> },
): Promise<Float64Array[]> {
  const open = await openBlocks(plan, host)
  const turned = { dtype: 'F32', transposed: true } as const
  const kernel = await host.runtime.compileProduct(
    plan.on === 'columns'
      ? { left: turned, right: plain, result: 'F64' }
      : { left: plain, right: turned, result: 'F64' },
  )
  const widthOf = (step: number): number => {
    const { on, rows, columns, steps } = plan
    const found: BlockStep = steps[step]!
    return found.kind === 'elements'
      ? on === 'columns'
        ? columns
        : rows
      : on === 'columns'
        ? found.columns
        : found.rows
  }
  const results = requests.map(({ left, right }) => new Float64Array(widthOf(left) * widthOf(right)))
  for (const [index, range] of ranges.entries()) {
    await open.run(range)
    for (const [request, { left, right }] of requests.entries())
      await addProduct(kernel, plan, { open, left, right, into: results[request]!, add: index > 0 })
    await letIn?.()
  }
  requests.forEach(({ left, right }, request) => {
    if (left === right) mirror(results[request]!, widthOf(left))
  })
  return results
}

interface Added {
  readonly open: OpenBlocks
  readonly left: number
  readonly right: number
  readonly into: Float64Array
  readonly add: boolean
}

async function addProduct(
  kernel: ProductKernel,
  { on }: BlockPlan,
  { open, left, right, into, add }: Added,
): Promise<void> {
  const [a, b] = [open.values(left), open.values(right)]
  const stripe = left === right ? STRIPE : a.width
  for (let row = 0; row < a.width; row += stripe) {
    const rows = Math.min(stripe, a.width - row)
    // Below the diagonal, in steps of stripes.
    const columns = left === right ? row + rows : b.width
    const offset = on === 'columns' ? row : row * a.lines
    await kernel.run({
      rows,
      columns,
      depth: a.lines,
      left: bytesOf(a.values.subarray(offset)),
      right: bytesOf(b.values),
      into: bytesOf(into.subarray(row * b.width)),
      ...(on === 'columns' && { leftStride: a.width, rightStride: b.width }),
      intoStride: b.width,
      add,
    })
  }
}

function mirror(values: Float64Array, size: number): void {
  for (let row = 0; row < size; row++)
    for (let column = row + 1; column < size; column++) values[row * size + column] = values[column * size + row]!
}

const nothing = new Uint8Array(0)

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
