import type { Dtype } from '@mk/safetensors'
import { TensorError } from '../errors.ts'
import {
  type Expression,
  isMask,
  isOperation,
  type Kind,
  type Mask,
  type Operand,
  type Operation,
  operations,
} from '../language/operations.ts'
import type { Instruction } from './instructions.ts'
import type { Program, ProgramOutput } from './program.ts'
import type { Reduction } from '../language/reductions.ts'

/** What one kernel is to compute. The outputs of the program stand in the order of these fields. */
export interface LowerRequest {
  readonly stores?: readonly { readonly value: Operand; readonly dtype: Dtype }[]
  readonly reductions?: readonly Omit<Reduction, 'columns'>[]
  readonly histograms?: readonly {
    readonly value: Operand
    readonly bins: number
    readonly lo: number
    readonly shift: number
  }[]
  readonly locate?: readonly { readonly mask: Mask; readonly nth: number }[]
  /** Whether products with matrices are taken, as inputs that somebody computes. */
  readonly products?: boolean
  /** Masks in whose place others are computed. */
  readonly replaced?: ReadonlyMap<Mask, Mask>
}

/** A product with a matrix, as a node of an expression. */
export type TimesNode = Extract<Expression, { op: 'times' }>

/** A program and what its slots hold in every call of one stage. */
export interface Lowered {
  readonly program: Program
  readonly scalars: readonly number[]
  readonly vectors: readonly Float32Array[]
  /** What is to be computed for the input slots after those of the tensor, in F32; absent where there is none. */
  readonly products?: readonly TimesNode[]
}

/**
 * Flattens expressions to a program in which every common part stands once.
 *
 * Parts are common if they do the same to the same inputs. Numbers, vectors, random keys and `before` are common only
 * if they are the same object: the program never depends on their values, so that expressions built by the same code
 * with other numbers share one compiled kernel.
 * @throws TensorError for a mask in a value's place or the reverse, an input slot that isn't in `inputDtypes`, or 'product-place'
 */
export function lower(request: LowerRequest, inputDtypes: readonly Dtype[]): Lowered {
  const instructions: Instruction[] = []
  const positions = new Map<string, number>()
  const done = new Map<object, number>()
  const slots = new Map<object, number>()
  const scalars: number[] = []
  const vectors: Float32Array[] = []
  const vectorPer: ('row' | 'column')[] = []
  const products: TimesNode[] = []

  const scalar = (value: number) => scalars.push(value) - 1
  const slotOf = (identity: object, allocate: () => number) => {
    let slot = slots.get(identity)
    if (slot === undefined) slots.set(identity, (slot = allocate()))
    return slot
  }
  const emit = (instruction: Instruction) => {
    const fields = instruction as unknown as Readonly<Record<string, number | string>>
    let key = ''
    for (const field in fields) key += `${fields[field]} `
    let position = positions.get(key)
    if (position === undefined) positions.set(key, (position = instructions.push(instruction) - 1))
    return position
  }
  const visit = (node: Expression | Mask, where: string, expected: 'expression' | 'mask'): number => {
    if (typeof node !== 'object' || node === null || isMask(node) !== (expected === 'mask'))
      throw wrongKind(node, where, expected)
    let position = done.get(node)
    if (position === undefined) done.set(node, (position = emit(instructionOf(node, where, expected))))
    return position
  }

  const value = (node: Operand, where: string): number =>
    typeof node === 'number' ? emit({ op: 'scalar', slot: scalar(node) }) : visit(node, where, 'expression')

  const mask = (given: Mask, where: string): number => visit(request.replaced?.get(given) ?? given, where, 'mask')

  const instructionOf = (node: Expression | Mask, where: string, expected: 'expression' | 'mask'): Instruction => {
    switch (node.op) {
      case 'input':
        if (!(node.slot in inputDtypes))
          throw new TensorError({ code: 'input-slot', slot: node.slot, inputCount: inputDtypes.length })
        return { op: 'input', slot: node.slot }
      case 'number':
        return { op: 'scalar', slot: slotOf(node, () => scalar(node.value)) }
      case 'vector': {
        const same = vectors.findIndex((values, i) => values === node.values && vectorPer[i] === node.per)
        if (same >= 0) return { op: 'vector', slot: same }
        vectorPer.push(node.per)
        return { op: 'vector', slot: vectors.push(node.values) - 1 }
      }
      case 'uniform': {
        for (const word of [node.key.high, node.key.low]) {
          if (word !== word >>> 0)
            throw new TensorError({
              code: 'number-range',
              what: 'a word of a random key',
              value: word,
              expected: 'a whole number from 0 to 2^32 − 1',
            })
        }
        const high = slotOf(node.key, () => {
          const slot = scalar(node.key.high)
          scalar(node.key.low)
          return slot
        })
        return { op: 'uniform', high, low: high + 1 }
      }
      case 'times':
        if (request.products !== true) throw new TensorError({ code: 'product-place' })
        return { op: 'input', slot: inputDtypes.length + products.push(node) - 1 }
      case 'before':
        if (!Number.isSafeInteger(node.end) || node.end < 0) {
          throw new TensorError({
            code: 'number-range',
            what: 'the end of before()',
            value: node.end,
            expected: 'a whole number from 0 to 2^53 − 1',
          })
        }
        return { op: 'before', slot: slotOf(node, () => scalar(node.end)) }
      default:
        return operation(node, where, expected)
    }
  }

  const operation = (
    node: Extract<Expression | Mask, { op: Operation }>,
    where: string,
    expected: 'expression' | 'mask',
  ): Instruction => {
    const { op } = node
    if (!isOperation(op)) throw wrongKind(node, where, expected)
    const nodes = node as unknown as Readonly<Record<string, Expression & Mask>>
    const operands: Readonly<Record<string, Kind>> = operations[op].operands
    const instruction: Record<string, number | string> = { op }
    for (const name in operands)
      instruction[name] = operands[name] === 'mask' ? mask(nodes[name]!, op) : value(nodes[name]!, op)
    return instruction as unknown as Instruction
  }

  const outputs: ProgramOutput[] = [
    ...(request.stores ?? []).map((store): ProgramOutput => ({
      kind: 'store',
      value: value(store.value, 'store'),
      dtype: store.dtype,
    })),
    ...(request.reductions ?? []).map(({ reduce, per, value: what }): ProgramOutput => ({
      kind: 'reduce',
      reduce,
      per,
      value: isMask(what) ? mask(what, reduce) : value(what, reduce),
    })),
    ...(request.histograms ?? []).map(({ value: what, bins, lo, shift }): ProgramOutput => ({
      kind: 'histogram',
      value: value(what, 'histogram'),
      bins,
      lo: scalar(lo),
      shift: scalar(shift),
    })),
    ...(request.locate ?? []).map(({ mask: what, nth }): ProgramOutput => ({
      kind: 'locate',
      mask: mask(what, 'locate'),
      nth: scalar(nth),
    })),
  ]
  const inputs = [...inputDtypes, ...products.map((): Dtype => 'F32')]
  return {
    program: { inputs, scalarCount: scalars.length, vectors: vectorPer, instructions, outputs },
    scalars,
    vectors,
    ...(products.length > 0 && { products }),
  }
}

function wrongKind(node: unknown, where: string, expected: 'expression' | 'mask'): TensorError {
  const op = typeof node === 'object' && node !== null && 'op' in node ? node.op : undefined
  return new TensorError({ code: 'wrong-kind', where, expected, got: typeof op === 'string' ? op : String(node) })
}
