import { dtypeBytes } from '@mk/safetensors'
import { type KernelCall, type Program, uniformHigh, usedInputs } from '@mk/tensor/runtime'
import { argument, ROW_PADDING } from './generator/layout.ts'
import type { Placing } from './placing.ts'

/** Where the code looks for what calls bring, in words from the start of the frame. */
interface Arguments {
  readonly used: readonly { readonly slot: number; readonly bytes: number; readonly places: readonly number[] }[]
  readonly scalars: readonly { readonly slot: number; readonly at: number }[]
  readonly vectors: readonly {
    readonly slot: number
    readonly per: 'row' | 'column'
    readonly places: readonly number[]
  }[]
  readonly others: readonly Other[]
}

/** What is computed for each call. */
interface Other {
  readonly instruction: Extract<Program['instructions'][number], { op: 'before' | 'rank' | 'uniform' }>
  readonly at: number
}

/** Lists the arguments of a program, once for all calls. */
export function listArguments(program: Program): Arguments {
  const scalars: { slot: number; at: number }[] = []
  const others: Other[] = []
  const [inputs, vectors] = [new Map<number, number[]>(), new Map<number, number[]>()]
  const note = (places: Map<number, number[]>, slot: number, at: number) =>
    void places.set(slot, [...(places.get(slot) ?? []), at])
  program.instructions.forEach((instruction, index) => {
    const at = argument.instruction(index) / 4
    switch (instruction.op) {
      case 'input':
        return note(inputs, instruction.slot, at)
      case 'scalar':
        return void scalars.push({ slot: instruction.slot, at })
      case 'vector':
        return note(vectors, instruction.slot, at)
      case 'before':
      case 'rank':
      case 'uniform':
        return void others.push({ instruction, at })
    }
  })
  return {
    used: usedInputs(program).map((slot) => ({
      slot,
      bytes: dtypeBytes(program.inputs[slot]!),
      places: inputs.get(slot) ?? [],
    })),
    scalars,
    vectors: program.vectors.map((per, slot) => ({ slot, per, places: vectors.get(slot) ?? [] })),
    others,
  }
}

/** Writes one that is computed. */
export function placeOther({ call, words, scratch, frame }: Placing, { instruction, at }: Other): void {
  switch (instruction.op) {
    case 'rank':
      words[frame + at] = scratch.take(4 * (call.columns + ROW_PADDING))
      break
    case 'before':
      words[frame + at] =
        Math.min(Math.max(Math.ceil(call.scalars[instruction.slot]!) - call.offset, 0), call.elementCount) || 0
      break
    case 'uniform':
      words.set(uniformWords(call, call.scalars[instruction.high]!, call.scalars[instruction.low]!), frame + at)
      break
    default:
      instruction satisfies never
  }
}

function uniformWords({ offset }: KernelCall, high: number, low: number): number[] {
  const key = { high, low }
  const mixed = uniformHigh(key, offset)
  const next = (Math.floor(offset / 2 ** 32) + 1) * 2 ** 32
  return [(offset % 2 ** 32) + low, mixed, mixed ^ uniformHigh(key, next), Math.min(next - offset - 1, 0x7fffffff)]
}
