import { dtypeBytes } from '@mk/safetensors'
import {
  isRowOperation,
  isSource,
  type Kernel,
  type KernelCall,
  needsWholeRows,
  type Program,
  type ProgramOutput,
  reducers,
  uniformHigh,
  usedInputs,
} from '@mk/tensor/runtime'
import { keptByRank } from './generator/analyze-program.ts'
import { type CallFacts, usefulFacts } from './generator/call-facts.ts'
import { LARGEST_FRACTION } from './generator/uniform.ts'
import type { Arena, Scratch } from './arena.ts'
import { argument, COLUMN_PADDING, histogramBytes, ROW_PADDING, spillBytes } from './generator/layout.ts'

type Reduce = Extract<ProgramOutput, { kind: 'reduce' }>

/** What a call covers, seen as rows. */
interface Extent {
  readonly firstRow: number
  readonly rows: number
  readonly firstColumn: number
  /** Columns of the matrix that are read or written, from `columnStart`. */
  readonly columnStart: number
  readonly columnCount: number
}

/** A call while its frame is being written. */
interface Placing {
  readonly call: KernelCall
  readonly extent: Extent
  /** The memory that the kernel sees. */
  readonly buffer: ArrayBuffer
  /** All of it. */
  readonly doubles: Float64Array
  readonly scratch: Scratch
  /** The frame. */
  readonly words: Int32Array
}

/** The code of a program: takes the address of a call's frame. */
export type Run = (frame: number) => void

/** Code for calls of which something is known. */
export interface Specialized {
  /** Calls of fewer elements are not worth code of their own. */
  readonly fewestElements: number
  /** Makes it; undefined where the engine doesn't here. */
  make(facts: CallFacts): Run | undefined
}

/** Makes a kernel of an instance's `run`: writes the arguments of each call where the generated code looks for them. */
export function createKernel(program: Program, arena: Arena, run: Run, specialized: Specialized): Kernel {
  const doubles = new Float64Array(arena.buffer)
  const runFor = createChoice(program, doubles, run, specialized)
  const inputSlots = usedInputs(program)
  // One array per histogram for all calls: thousands of short-lived ones would outgrow what they count.
  const counts = program.outputs.map((output) =>
    output.kind === 'histogram' ? new Uint32Array(output.bins + 2) : undefined,
  )
  const usesRank = needsWholeRows(program)
  const keeps = keptByRank(program).map(({ mask }) => argument.instruction(mask) / 4)
  // The same in all calls, of which there are thousands.
  const [frameBytes, passingBytes] = [argument.frameBytes(program), spillBytes(program)]
  const given = program.instructions.flatMap((instruction, index) =>
    isSource(instruction) || isRowOperation(instruction) ? [{ instruction, at: argument.instruction(index) / 4 }] : [],
  )
  return {
    run(call) {
      const { buffer } = arena
      const scratch = arena.scratch('a kernel call')
      const extent = extentOf(call)
      const frame = scratch.take(frameBytes)
      const words = new Int32Array(buffer, frame)
      const setWord = (offset: number, value: number): void => {
        words[offset / 4] = value
      }
      setWord(argument.elementCount, call.elementCount)
      setWord(argument.columns, Math.min(call.columns, call.elementCount))
      setWord(argument.firstColumn, extent.firstColumn - extent.columnStart)
      setWord(argument.firstLength, Math.min(call.columns - extent.firstColumn, call.elementCount))
      setWord(argument.spill, scratch.take(passingBytes))
      if (usesRank) {
        const room = call.columns + ROW_PADDING
        setWord(argument.sortKeys, scratch.take(4 * room))
        setWord(argument.sortPairs, scratch.take(8 * room))
        setWord(argument.sortOtherPairs, scratch.take(8 * room))
        if (keeps.length > 0) {
          setWord(argument.drawnWords, scratch.take(4 * room))
          setWord(argument.bins, scratch.take(4 * room))
          setWord(argument.undecided, scratch.take(2 * room))
          for (const at of keeps) words.set([scratch.take(2 * room), 0, 0, 0], at)
        }
      }

      const placing: Placing = { call, extent, buffer, doubles, scratch, words }
      const inputs: number[] = []
      for (const slot of inputSlots)
        inputs[slot] = placeInput(placing, call.inputs[slot]!, call.elementCount * dtypeBytes(program.inputs[slot]!))
      const vectors = program.vectors.map((per, slot) => placeVector(placing, call.vectors[slot]!, per))
      const floats = new Float32Array(buffer, frame)
      for (const { instruction, at } of given) {
        switch (instruction.op) {
          case 'input':
            words[at] = inputs[instruction.slot]!
            break
          case 'scalar':
            floats[at] = call.scalars[instruction.slot]!
            break
          case 'vector':
            words[at] = vectors[instruction.slot]!
            break
          case 'rank':
            words[at] = scratch.take(4 * (call.columns + ROW_PADDING))
            break
          case 'before':
            words[at] =
              Math.min(Math.max(Math.ceil(call.scalars[instruction.slot]!) - call.offset, 0), call.elementCount) || 0
            break
          case 'uniform':
            words.set(uniformWords(call, call.scalars[instruction.high]!, call.scalars[instruction.low]!), at)
            break
          default:
            instruction satisfies never
        }
      }
      const finishers = placeOutputs(placing, program, counts)
      runFor(call, words, frame)
      return finishers.flatMap((finish) => finish() ?? [])
    },
  }
}

/** Runs the code that knows most of a call whose frame is written. */
function createChoice(
  program: Program,
  doubles: Float64Array,
  general: Run,
  { fewestElements, make }: Specialized,
): (call: KernelCall, words: Int32Array, frame: number) => void {
  const { slots, limits, bounds, counts, uncut: hasEnds, sameHigh: hasRandom } = usefulFacts(program)
  const watched = slots.slice(0, mostWatched)
  // Limits are those of random numbers.
  if (watched.length + bounds.length + counts.length === 0 && !hasEnds && !hasRandom)
    return (_call, _words, frame) => general(frame)
  const places = (op: 'before' | 'uniform') =>
    program.instructions.flatMap((instruction, index) =>
      instruction.op === op ? [argument.instruction(index) / 4] : [],
    )
  const [ends, draws] = [places('before'), places('uniform')]
  const counted = counts.map((position) => argument.output(program, position) / 4)
  const areOfAll = (words: Int32Array, elementCount: number): boolean =>
    counted.every((at) => doubles[(words[at]! >>> 0) / 8] === elementCount)
  const known = new Map<number, Run>()
  const runOf = (key: number): Run => {
    if (key === 0) return general
    let run = known.get(key)
    if (run === undefined) {
      const zeros = new Set(watched.filter((_, i) => key & (firstZero << i)))
      const [uncut, sameHigh, fractions, within, ordered] = [1, 2, 4, 8, 16].map((bit) => (key & bit) !== 0) as Flags
      known.set(key, (run = make({ zeros, uncut, sameHigh, fractions, within, ordered }) ?? general))
    }
    return run
  }
  /** Whether counts of the last call were of all its elements: then those of the next are likely to be, too. */
  let within = counts.length > 0
  return ({ elementCount, scalars }, words, frame) => {
    if (elementCount < fewestElements || elementCount === 0) return general(frame)
    const uncut = hasEnds && ends.every((at) => words[at] === 0 || words[at] === elementCount)
    const sameHigh = hasRandom && draws.every((at) => words[at + 3]! >= elementCount - 1)
    const fractions = limits.length > 0 && limits.every((slot) => !(Math.fround(scalars[slot]!) > LARGEST_FRACTION))
    const ordered = bounds.length > 0 && bounds.every((slot) => Math.abs(Math.fround(scalars[slot]!)) > 0)
    let key = Number(uncut) + 2 * Number(sameHigh) + 4 * Number(fractions) + 16 * Number(ordered)
    for (let i = 0; i < watched.length; i++) if (Object.is(Math.fround(scalars[watched[i]!]!), 0)) key += firstZero << i
    if (within) {
      runOf(key + 8)(frame)
      if (areOfAll(words, elementCount)) return
    }
    runOf(key)(frame)
    within = counted.length > 0 && areOfAll(words, elementCount)
  }
}

type Flags = [uncut: boolean, sameHigh: boolean, fractions: boolean, within: boolean, ordered: boolean]

/** The bit of the first scalar that is watched, after those of what else is known. */
const firstZero = 32

/** Scalars that are looked at in each call: as many as there are bits. */
const mostWatched = 24

function extentOf({ elementCount, offset, columns }: KernelCall): Extent {
  if (elementCount === 0) return { firstRow: 0, rows: 0, firstColumn: 0, columnStart: 0, columnCount: 0 }
  const firstRow = Math.floor(offset / columns)
  const firstColumn = offset % columns
  const rows = Math.floor((offset + elementCount - 1) / columns) - firstRow + 1
  return rows === 1
    ? { firstRow, rows, firstColumn, columnStart: firstColumn, columnCount: elementCount }
    : { firstRow, rows, firstColumn, columnStart: 0, columnCount: columns }
}

function uniformWords({ offset }: KernelCall, high: number, low: number): number[] {
  const key = { high, low }
  const mixed = uniformHigh(key, offset)
  const next = (Math.floor(offset / 2 ** 32) + 1) * 2 ** 32
  return [(offset % 2 ** 32) + low, mixed, mixed ^ uniformHigh(key, next), Math.min(next - offset - 1, 0x7fffffff)]
}

/** Its address, after copying it if it is elsewhere. */
function placeInput({ buffer, scratch }: Placing, bytes: Uint8Array, byteLength: number): number {
  if (bytes.buffer === buffer) return bytes.byteOffset
  const address = scratch.take(byteLength)
  new Uint8Array(buffer, address, byteLength).set(bytes.subarray(0, byteLength))
  return address
}

function placeVector({ extent, buffer, scratch }: Placing, values: Float32Array, per: 'row' | 'column'): number {
  const [start, count] = per === 'row' ? [extent.firstRow, extent.rows] : [extent.columnStart, extent.columnCount]
  const address = scratch.take(4 * count)
  new Float32Array(buffer, address, count).set(values.subarray(start, start + count))
  return address
}

/** What to do after the call, one per output: it gives the result, or nothing for a store. */
function placeOutputs(
  placing: Placing,
  program: Program,
  counts: readonly (Uint32Array | undefined)[],
): readonly (() => Float64Array | Uint32Array | undefined)[] {
  const { call, extent, buffer, doubles, scratch, words } = placing
  let stores = 0
  return program.outputs.map((output, index) => {
    const at = argument.output(program, index) / 4
    switch (output.kind) {
      case 'store': {
        const target = call.outputs[stores++]!
        const byteLength = call.elementCount * dtypeBytes(output.dtype)
        const inside = target.buffer === buffer
        const address = inside ? target.byteOffset : scratch.take(byteLength)
        words[at] = address
        return () => {
          if (!inside) target.set(new Uint8Array(buffer, address, byteLength))
          return undefined
        }
      }
      case 'reduce': {
        const address = placeReduction(placing, output)
        words[at] = address
        if (output.per === 'tensor') return () => Float64Array.of(doubles[address / 8]!)
        return () => reductionResult(output, call, extent, new Float64Array(buffer, address))
      }
      case 'histogram': {
        const lo = call.scalars[output.lo]!
        const shift = call.scalars[output.shift]!
        const address = scratch.take(histogramBytes(output.bins))
        words.set([address, lo, shift, lo + output.bins * 2 ** shift - 1], at)
        return () => {
          counts[index]!.set(new Uint32Array(buffer, address, output.bins + 2))
          return counts[index]
        }
      }
      case 'locate': {
        const nth = call.scalars[output.nth]!
        const address = scratch.take(4)
        words.set([address, Number.isInteger(nth) && nth >= 0 && nth < call.elementCount ? nth : -1], at)
        return () => {
          const [found] = new Int32Array(buffer, address, 1)
          return Float64Array.of(found === undefined || found < 0 ? -1 : call.offset + found)
        }
      }
      default:
        return output satisfies never
    }
  })
}

function placeReduction({ extent: { rows, columnCount }, buffer, scratch }: Placing, { per, reduce }: Reduce): number {
  if (per !== 'column') return scratch.take(8 * Math.max(1, per === 'row' ? rows : 1))
  const padded = columnCount + COLUMN_PADDING
  const address = scratch.take(8 * padded)
  new Float64Array(buffer, address, padded).fill(reducers[reduce].empty)
  return address
}

function reductionResult(
  { per, reduce }: Reduce,
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
