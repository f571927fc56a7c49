import { encode } from '../numbers/dtypes.ts'
import { QUICK_VALUES, reducers } from '../numbers/reducers.ts'
import type { ProgramOutput } from '../program/program.ts'
import type { KernelCall } from '../runtime/runtime.ts'
import type { Block, Registers } from './evaluate.ts'

/** What becomes of an output's elements: blocks go in, in ascending order, and the result of the call comes out. */
export interface Sink {
  add(registers: Registers, block: Block): void
  finish(): Float64Array | Uint32Array | undefined
}

/**
 * Makes of an output's elements what the reference makes of them, for runtimes that compute only the elements elsewhere.
 * @param storeIndex which of the call's outputs a `store` writes to
 */
export function createSink(output: ProgramOutput, call: KernelCall, storeIndex: number): Sink {
  switch (output.kind) {
    case 'store':
      return {
        add: (registers, { start, count }) =>
          encode(
            output.dtype,
            (registers[output.value] as Float32Array).subarray(0, count),
            call.outputs[storeIndex]!,
            start,
          ),
        finish: () => undefined,
      }
    case 'reduce':
      if (output.reduce === 'quickSum') return quickSink(output)
      return output.per === 'column' ? columnSink(output, call) : accumulatorSink(output, call)
    case 'histogram':
      return histogramSink(output, call)
    case 'collect':
      return collectSink(output, call)
    case 'locate':
      return locateSink(output, call)
    default:
      return output satisfies never
  }
}

type Reduce = Extract<ProgramOutput, { kind: 'reduce' }>

/** Per tensor or per row: four accumulators for each result. */
function accumulatorSink({ reduce, per, value }: Reduce, { offset, elementCount, columns }: KernelCall): Sink {
  const { empty, join } = reducers[reduce]
  const rowOf = (index: number) => (per === 'tensor' ? 0 : Math.floor(index / columns))
  const firstRow = rowOf(offset)
  const results = per === 'tensor' ? 1 : elementCount === 0 ? 0 : rowOf(offset + elementCount - 1) - firstRow + 1
  const accumulators = new Float64Array(4 * results).fill(empty)
  return {
    add(registers, block) {
      const source = registers[value]!
      let i = 0
      while (i < block.count) {
        const row = rowOf(block.offset + i)
        const partStart = per === 'tensor' ? offset : Math.max(row * columns, offset)
        const end = per === 'tensor' ? block.count : Math.min(block.count, (row + 1) * columns - block.offset)
        const first = 4 * (row - firstRow)
        for (let position = block.offset + i - partStart; i < end; i++, position++) {
          const at = first + (position & 3)
          accumulators[at] = join(accumulators[at]!, source[i]!)
        }
      }
    },
    finish: () =>
      Float64Array.from({ length: results }, (_, r) => {
        const [a0, a1, a2, a3] = accumulators.subarray(4 * r, 4 * r + 4) as unknown as [number, number, number, number]
        return join(join(a0, a2), join(a1, a3))
      }),
  }
}

/** Per tensor: a float32 before each of the four accumulators. */
function quickSink({ value }: Reduce): Sink {
  const accumulators = new Float64Array(4)
  const few = new Float32Array(4)
  let position = 0
  const widen = () => {
    few.forEach((sum, lane) => (accumulators[lane]! += sum))
    few.fill(0)
  }
  return {
    add(registers, { count }) {
      const source = registers[value]!
      for (let i = 0; i < count; i++) {
        few[position & 3]! += source[i]!
        if (++position % (4 * QUICK_VALUES) === 0) widen()
      }
    },
    finish() {
      widen()
      const [a0, a1, a2, a3] = accumulators as unknown as [number, number, number, number]
      return Float64Array.of(a0 + a2 + (a1 + a3))
    },
  }
}

function columnSink({ reduce, value }: Reduce, { columns }: KernelCall): Sink {
  const { empty, join } = reducers[reduce]
  const results = new Float64Array(columns).fill(empty)
  return {
    add(registers, { count, offset }) {
      const source = registers[value]!
      for (let i = 0, column = offset % columns; i < count; i++) {
        results[column] = join(results[column]!, source[i]!)
        if (++column === columns) column = 0
      }
    },
    finish: () => results,
  }
}

function histogramSink(
  { value, bins, lo, shift }: Extract<ProgramOutput, { kind: 'histogram' }>,
  { scalars }: KernelCall,
): Sink {
  const results = new Uint32Array(bins + 2)
  const first = scalars[lo]!
  const width = scalars[shift]!
  return {
    add(registers, { count }) {
      const source = registers[value]!
      const patterns = new Uint32Array(source.buffer, source.byteOffset, count)
      for (let i = 0; i < count; i++) {
        const b = patterns[i]! & 0x7fffffff
        const bin = (b - first) >>> width
        results[b < first ? bins : bin < bins ? bin : bins + 1]!++
      }
    },
    finish: () => results,
  }
}

function collectSink({ value, windows }: Extract<ProgramOutput, { kind: 'collect' }>, { scalars }: KernelCall): Sink {
  const bounds = windows.map(({ lo, hi }) => ({ lo: scalars[lo]!, hi: scalars[hi]! }))
  const below = bounds.map(() => 0)
  const found: number[] = []
  return {
    add(registers, { count }) {
      const source = registers[value]!
      const patterns = new Uint32Array(source.buffer, source.byteOffset, count)
      for (let i = 0; i < count; i++) {
        const b = patterns[i]! & 0x7fffffff
        bounds.forEach(({ lo }, window) => {
          if (b < lo) below[window]!++
        })
        if (bounds.some(({ lo, hi }) => b >= lo && b < hi)) found.push(b)
      }
    },
    finish: () => Uint32Array.from([...below, ...found]),
  }
}

function locateSink({ mask, nth }: Extract<ProgramOutput, { kind: 'locate' }>, { scalars }: KernelCall): Sink {
  let left = scalars[nth]!
  let found = -1
  return {
    add(registers, { count, offset }) {
      const source = registers[mask]!
      for (let i = 0; i < count && found < 0; i++) {
        if (source[i] && left-- === 0) found = offset + i
      }
    },
    finish: () => Float64Array.of(found),
  }
}
