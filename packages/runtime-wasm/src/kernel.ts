import { dtypeBytes } from '@mk/safetensors'
import {
  isRowOperation,
  isSource,
  type Kernel,
  type KernelCall,
  needsWholeRows,
  type Program,
  uniformHigh,
  usedInputs,
} from '@mk/tensor/runtime'
import { keptByRank } from './generator/analyze-program.ts'
import { type CallFacts, usefulFacts } from './generator/call-facts.ts'
import { LARGEST_FRACTION } from './generator/uniform.ts'
import type { Arena } from './arena.ts'
import { argument, ROW_PADDING, spillBytes } from './generator/layout.ts'
import { extentOf, placeInput, placeVector, type Placing } from './placing.ts'
import { prepareOutputs } from './prepare-outputs.ts'

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
  const outputs = prepareOutputs(program)
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
      for (const output of outputs) output.place(placing)
      runFor(call, words, frame)
      const results: (Float64Array | Uint32Array)[] = []
      for (const output of outputs) {
        const result = output.finish(placing)
        if (result !== undefined) results.push(result)
      }
      return results
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

function uniformWords({ offset }: KernelCall, high: number, low: number): number[] {
  const key = { high, low }
  const mixed = uniformHigh(key, offset)
  const next = (Math.floor(offset / 2 ** 32) + 1) * 2 ** 32
  return [(offset % 2 ** 32) + low, mixed, mixed ^ uniformHigh(key, next), Math.min(next - offset - 1, 0x7fffffff)]
}
