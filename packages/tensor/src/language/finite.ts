import type { Dtype } from '@mk/safetensors'
import { abs, add, and, type Expression, input, isOperation, le, type Mask, operations } from './operations.ts'

const largestFloat32 = (2 - 2 ** -23) * 2 ** 127

/** The largest float32 that a dtype rounds to a finite number: the one before half a step past its largest, or that if it is rounded down. */
const largestStored: Partial<Record<Dtype, number>> = {
  F16: 65520 - 2 ** -8,
  BF16: (2 - 2 ** -8 - 2 ** -23) * 2 ** 127,
  F8_E5M2: 61440 - 2 ** -8,
  F8_E4M3: 464,
}

/** Tells which elements stay finite when they are rounded to a floating-point dtype. */
export const finite = (value: Expression, dtype: Dtype = 'F32'): Mask =>
  le(abs(value), largestStored[dtype] ?? largestFloat32)

/**
 * Tells of an input that is only looked at which elements are finite, in as few instructions as there are: `readAs` is the dtype to read
 * its bytes as. Those of a float16 are read as bfloat16, which is widened by a shift: there the patterns from infinity on are 2^121 and more.
 */
export const finiteStored = (slot: number, dtype: Dtype): { readonly readAs: Dtype; readonly isFinite: Mask } =>
  dtype === 'F16'
    ? { readAs: 'BF16', isFinite: le(abs(input(slot)), (2 - 2 ** -23) * 2 ** 120) }
    : { readAs: dtype, isFinite: finite(input(slot)) }

/**
 * Tells which elements are finite in the result of an expression, rounded to a floating-point dtype, and in all inputs that it is made of.
 * True only where that is so; false now and then also where inputs are finite but their sum is past float32. Inputs that are sure to show
 * in the result, as the terms of a sum do, cost nothing more; the others one addition each.
 */
export function finiteThroughout(value: Expression, dtype: Dtype): Mask {
  const used = new Set<number>()
  const shown = shownIn(value, used, new Map())
  const hidden = [...used].filter((slot) => !shown.has(slot)).toSorted((a, b) => a - b)
  const result = finite(value, dtype)
  return hidden.length === 0 ? result : and(finite(hidden.map(input).reduce(add)), result)
}

type Slots = ReadonlySet<number>

const noSlots: Slots = new Set()

/** Finds the inputs whose infinities and NaN make the value infinite or NaN, whatever the other operands. */
function shownIn(node: Expression | Mask | undefined, used: Set<number>, known: Map<unknown, Slots>): Slots {
  let slots = known.get(node)
  if (slots === undefined) known.set(node, (slots = findShown(node, used, known)))
  return slots
}

function findShown(node: Expression | Mask | undefined, used: Set<number>, known: Map<unknown, Slots>): Slots {
  // What is no expression shows nothing; that it is none is told where it is compiled.
  if (typeof node !== 'object' || node === null) return noSlots
  if (node.op === 'input') {
    used.add(node.slot)
    return new Set([node.slot])
  }
  if (!isOperation(node.op)) return noSlots
  const operands = node as unknown as Readonly<Record<string, Expression | Mask>>
  // All of them are gone through, since any may have inputs.
  for (const name in operations[node.op].operands) shownIn(operands[name]!, used, known)
  const of = (name: string) => known.get(operands[name]!)!
  switch (node.op) {
    case 'neg':
    case 'abs':
    case 'sqrt':
    case 'div':
      return of('a')
    // Also times 0: that is NaN.
    case 'add':
    case 'sub':
    case 'mul': {
      const [a, b] = [of('a'), of('b')]
      return b.size === 0 ? a : a.size === 0 ? b : new Set([...a, ...b])
    }
    case 'select':
      return new Set([...of('a')].filter((slot) => of('b').has(slot)))
    default:
      return noSlots
  }
}
