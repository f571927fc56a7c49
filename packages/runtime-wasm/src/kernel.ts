import { type Kernel, type KernelCall, needsWholeRows, type Program } from '@mk/tensor/runtime'
import { listArguments, placeOther } from './arguments.ts'
import { keptByRank } from './generator/analyze-program.ts'
import { type CallFacts, usefulFacts } from './generator/call-facts.ts'
import { LARGEST_FRACTION } from './generator/uniform.ts'
import type { Arena, Scratch } from './arena.ts'
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
  const { buffer } = arena
  // Of all memory, since there are thousands of calls.
  const words = new Int32Array(buffer)
  const floats = new Float32Array(buffer)
  const doubles = new Float64Array(buffer)
  const runFor = createChoice(program, { words, doubles }, run, specialized)
  const outputs = prepareOutputs(program)
  const [frameBytes, passingBytes] = [argument.frameBytes(program), spillBytes(program)]
  const { used, scalars, vectors, others } = listArguments(program)
  const usesRank = needsWholeRows(program)
  const keeps = keptByRank(program).map(({ mask }) => argument.instruction(mask) / 4)

  const placeRows = (frame: number, columns: number, scratch: Scratch): void => {
    const room = columns + ROW_PADDING
    const take = (offset: number, byteLength: number) => (words[(frame + offset) / 4] = scratch.take(byteLength))
    take(argument.sortKeys, 4 * room)
    take(argument.sortPairs, 8 * room)
    take(argument.sortOtherPairs, 8 * room)
    if (keeps.length === 0) return
    take(argument.drawnWords, 4 * room)
    take(argument.bins, 4 * room)
    take(argument.undecided, 2 * room)
    for (const at of keeps) words.set([scratch.take(2 * room), 0, 0, 0], frame / 4 + at)
  }

  return {
    run(call) {
      const { elementCount, columns } = call
      const scratch = arena.scratch('a kernel call')
      const extent = extentOf(call)
      const frame = scratch.take(frameBytes) >>> 2
      words[frame + argument.elementCount / 4] = elementCount
      words[frame + argument.columns / 4] = Math.min(columns, elementCount)
      words[frame + argument.firstColumn / 4] = extent.firstColumn - extent.columnStart
      words[frame + argument.firstLength / 4] = Math.min(columns - extent.firstColumn, elementCount)
      words[frame + argument.spill / 4] = scratch.take(passingBytes)
      if (usesRank) placeRows(4 * frame, columns, scratch)

      const placing: Placing = { call, extent, buffer, words, doubles, scratch, frame }
      for (let i = 0; i < used.length; i++) {
        const { slot, bytes, places } = used[i]!
        const address = placeInput(placing, call.inputs[slot]!, elementCount * bytes)
        for (let j = 0; j < places.length; j++) words[frame + places[j]!] = address
      }
      for (let i = 0; i < scalars.length; i++) floats[frame + scalars[i]!.at] = call.scalars[scalars[i]!.slot]!
      for (let i = 0; i < vectors.length; i++) {
        const { slot, per, places } = vectors[i]!
        const address = placeVector(placing, call.vectors[slot]!, per)
        for (let j = 0; j < places.length; j++) words[frame + places[j]!] = address
      }
      for (let i = 0; i < others.length; i++) placeOther(placing, others[i]!)
      for (let i = 0; i < outputs.length; i++) outputs[i]!.place(placing)
      runFor(call, frame)
      const results: (Float64Array | Uint32Array)[] = []
      for (let i = 0; i < outputs.length; i++) {
        const result = outputs[i]!.finish(placing)
        if (result !== undefined) results.push(result)
      }
      return results
    },
  }
}

/** Runs the code that knows most of a call whose frame is written. */
function createChoice(
  program: Program,
  { words, doubles }: Pick<Placing, 'words' | 'doubles'>,
  general: Run,
  { fewestElements, make }: Specialized,
): (call: KernelCall, frame: number) => void {
  const { slots, limits, bounds, counts, uncut: hasEnds, sameHigh: hasRandom } = usefulFacts(program)
  const watched = slots.slice(0, mostWatched)
  // Limits are those of random numbers.
  if (watched.length + bounds.length + counts.length === 0 && !hasEnds && !hasRandom)
    return (_call, frame) => general(4 * frame)
  const places = (op: 'before' | 'uniform') =>
    program.instructions.flatMap((instruction, index) =>
      instruction.op === op ? [argument.instruction(index) / 4] : [],
    )
  const [ends, draws] = [places('before'), places('uniform')]
  const counted = counts.map((position) => argument.output(program, position) / 4)
  // Loops, since there are thousands of calls.
  const areUncut = (frame: number, elementCount: number): boolean => {
    for (let i = 0; i < ends.length; i++) {
      const end = words[frame + ends[i]!]!
      if (end !== 0 && end !== elementCount) return false
    }
    return true
  }
  const haveSameHigh = (frame: number, elementCount: number): boolean => {
    for (let i = 0; i < draws.length; i++) if (words[frame + draws[i]! + 3]! < elementCount - 1) return false
    return true
  }
  const areFractions = (scalars: readonly number[]): boolean => {
    for (let i = 0; i < limits.length; i++) if (Math.fround(scalars[limits[i]!]!) > LARGEST_FRACTION) return false
    return true
  }
  const areOrdered = (scalars: readonly number[]): boolean => {
    for (let i = 0; i < bounds.length; i++) if (!(Math.abs(Math.fround(scalars[bounds[i]!]!)) > 0)) return false
    return true
  }
  const areOfAll = (frame: number, elementCount: number): boolean => {
    for (let i = 0; i < counted.length; i++)
      if (doubles[(words[frame + counted[i]!]! >>> 0) / 8] !== elementCount) return false
    return true
  }
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
  return ({ elementCount, scalars }, frame) => {
    if (elementCount < fewestElements || elementCount === 0) return general(4 * frame)
    let key = 0
    if (hasEnds && areUncut(frame, elementCount)) key += 1
    if (hasRandom && haveSameHigh(frame, elementCount)) key += 2
    if (limits.length > 0 && areFractions(scalars)) key += 4
    if (bounds.length > 0 && areOrdered(scalars)) key += 16
    for (let i = 0; i < watched.length; i++) if (Object.is(Math.fround(scalars[watched[i]!]!), 0)) key += firstZero << i
    if (within) {
      runOf(key + 8)(4 * frame)
      if (areOfAll(frame, elementCount)) return
    }
    runOf(key)(4 * frame)
    within = counted.length > 0 && areOfAll(frame, elementCount)
  }
}

type Flags = [uncut: boolean, sameHigh: boolean, fractions: boolean, within: boolean, ordered: boolean]

/** The bit of the first scalar that is watched, after those of what else is known. */
const firstZero = 32

/** Scalars that are looked at in each call: as many as there are bits. */
const mostWatched = 24
