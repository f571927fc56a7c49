import { dtypeBytes } from '@mk/safetensors'
import { type KernelCall, type Program, type ProgramOutput, reducers } from '@mk/tensor/runtime'
import { argument, collectBytes, COLUMN_PADDING, histogramBytes } from './generator/layout.ts'
import type { Extent, Placing } from './placing.ts'

/** An output of a program, for one call after the other; made once, as there are thousands of calls. */
export interface PreparedOutput {
  /** Takes room for it, and writes into the frame where that is. */
  place(placing: Placing): void
  /** Gives the result once the code has run, or nothing for a store. */
  finish(placing: Placing): Float64Array | Uint32Array | undefined
}

type Of<Kind extends ProgramOutput['kind']> = Extract<ProgramOutput, { kind: Kind }>

/** Prepares the outputs of a program, in their order. */
export function prepareOutputs(program: Program): readonly PreparedOutput[] {
  let stores = 0
  return program.outputs.map((output, index) => {
    const at = argument.output(program, index) / 4
    switch (output.kind) {
      case 'store':
        return prepareStore(output, stores++, at)
      case 'reduce':
        return prepareReduction(output, at)
      case 'histogram':
        return prepareHistogram(output, at)
      case 'collect':
        return prepareList(output, at)
      case 'locate':
        return prepareLocation(output, at)
      default:
        return output satisfies never
    }
  })
}

function prepareStore({ dtype }: Of<'store'>, nth: number, at: number): PreparedOutput {
  const elementBytes = dtypeBytes(dtype)
  let address = 0
  return {
    place({ call, buffer, scratch, words, frame }) {
      const target = call.outputs[nth]!
      address = target.buffer === buffer ? target.byteOffset : scratch.take(call.elementCount * elementBytes)
      words[frame + at] = address
    },
    finish({ call, buffer }) {
      const target = call.outputs[nth]!
      if (target.buffer !== buffer) target.set(new Uint8Array(buffer, address, call.elementCount * elementBytes))
      return undefined
    },
  }
}

function prepareReduction(output: Of<'reduce'>, at: number): PreparedOutput {
  let address = 0
  return {
    place(placing) {
      address = placeReduction(placing, output)
      placing.words[placing.frame + at] = address
    },
    finish({ call, extent, buffer, doubles }) {
      if (output.per === 'tensor') return Float64Array.of(doubles[address / 8]!)
      return reductionResult(output, call, extent, new Float64Array(buffer, address))
    },
  }
}

function placeReduction({ extent, buffer, scratch }: Placing, { per, reduce }: Of<'reduce'>): number {
  if (per !== 'column') return scratch.take(8 * Math.max(1, per === 'row' ? extent.rows : 1))
  const padded = extent.columnCount + COLUMN_PADDING
  const address = scratch.take(8 * padded)
  new Float64Array(buffer, address, padded).fill(reducers[reduce].empty)
  return address
}

function reductionResult(
  { per, reduce }: Of<'reduce'>,
  { columns }: KernelCall,
  extent: Extent,
  values: Float64Array,
): Float64Array {
  if (per === 'row') return values.slice(0, extent.rows)
  const results = new Float64Array(columns)
  if (extent.columnCount < columns) results.fill(reducers[reduce].empty)
  results.set(values.subarray(0, extent.columnCount), extent.columnStart)
  return results
}

function prepareHistogram({ bins, lo, shift }: Of<'histogram'>, at: number): PreparedOutput {
  // One array for all calls: thousands of short-lived ones would outgrow what they count.
  const counts = new Uint32Array(bins + 2)
  let address = 0
  return {
    place({ call, scratch, words, frame }) {
      const [first, width] = [call.scalars[lo]!, call.scalars[shift]!]
      address = scratch.take(histogramBytes(bins))
      words[frame + at] = address
      words[frame + at + 1] = first
      words[frame + at + 2] = width
      words[frame + at + 3] = first + bins * 2 ** width - 1
    },
    finish({ buffer }) {
      counts.set(new Uint32Array(buffer, address, bins + 2))
      return counts
    },
  }
}

function prepareList({ windows }: Of<'collect'>, at: number): PreparedOutput {
  // As of a histogram, as long as the longest so far.
  let room = new Uint32Array(0)
  let address = 0
  return {
    place({ call, buffer, scratch, words, frame }) {
      address = scratch.take(collectBytes(windows.length, call.elementCount))
      words[frame + at] = address
      const bounds = new Int32Array(buffer, address, 2 * windows.length + 1)
      windows.forEach(({ lo, hi }, window) => bounds.set([call.scalars[lo]!, call.scalars[hi]!], 2 * window))
    },
    finish({ buffer }) {
      const bounds = new Int32Array(buffer, address, 2 * windows.length + 1)
      const length = windows.length + bounds[2 * windows.length]!
      if (room.length < length) room = new Uint32Array(2 * length)
      room.set(new Uint32Array(buffer, address + bounds.byteLength, length))
      return room.subarray(0, length)
    },
  }
}

function prepareLocation({ nth: slot }: Of<'locate'>, at: number): PreparedOutput {
  let address = 0
  return {
    place({ call, scratch, words, frame }) {
      const nth = call.scalars[slot]!
      address = scratch.take(4)
      words[frame + at] = address
      words[frame + at + 1] = Number.isInteger(nth) && nth >= 0 && nth < call.elementCount ? nth : -1
    },
    finish({ call, buffer }) {
      const [found] = new Int32Array(buffer, address, 1)
      return Float64Array.of(found === undefined || found < 0 ? -1 : call.offset + found)
    },
  }
}
