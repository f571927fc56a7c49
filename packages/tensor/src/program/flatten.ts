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
import type { RandomKey } from '../numbers/random.ts'
import type { LowerRequest, TimesNode } from './lower-request.ts'

/**
 * What a request asks for, in the order in which a program computes it: names of outputs, operations and sources, each followed by its
 * numbers and operands. Of a node that was seen before there is `again` and its number among the nodes seen, in the order in which they were
 * finished; `literal` is a number that is no node. What a call brings is not in it, so that code that does the same gives the same steps.
 */
export type Steps = readonly (string | number)[]

/** Steps, and what slots hold. */
export interface Flattened {
  readonly steps: Steps
  readonly scalars: readonly number[]
  readonly vectors: readonly Float32Array[]
  readonly products: readonly TimesNode[]
}

/** Walks through what is to be computed, each part once. @throws what `lower` throws */
export function flatten(request: LowerRequest, inputDtypes: readonly Dtype[]): Flattened {
  const walk = new Walk(request, inputDtypes)
  walk.outputs()
  return walk
}

class Walk implements Flattened {
  readonly steps: (string | number)[] = []
  readonly scalars: number[] = []
  readonly vectors: Float32Array[] = []
  readonly products: TimesNode[] = []
  private readonly vectorPer: ('row' | 'column')[] = []
  private readonly keys: RandomKey[] = []
  private readonly seen = new Map<object, number>()
  private readonly request: LowerRequest
  private readonly inputDtypes: readonly Dtype[]

  constructor(request: LowerRequest, inputDtypes: readonly Dtype[]) {
    this.request = request
    this.inputDtypes = inputDtypes
  }

  outputs(): void {
    const { steps, scalars } = this
    const { stores, reductions, histograms, collections, locate } = this.request
    for (const { value, dtype } of stores ?? none) {
      steps.push('store', dtype)
      this.value(value, 'store')
    }
    for (const { reduce, per, value } of reductions ?? none) {
      steps.push('reduce', reduce, per)
      if (isMask(value)) this.mask(value, reduce)
      else this.value(value, reduce)
    }
    for (const { value, bins, lo, shift } of histograms ?? none) {
      steps.push('histogram', bins)
      this.value(value, 'histogram')
      scalars.push(lo, shift)
    }
    for (const { value, windows } of collections ?? none) {
      steps.push('collect', windows.length)
      this.value(value, 'collect')
      for (const { lo, hi } of windows) scalars.push(lo, hi)
    }
    for (const { mask, nth } of locate ?? none) {
      steps.push('locate')
      this.mask(mask, 'locate')
      scalars.push(nth)
    }
  }

  private value(node: Operand, where: string): void {
    if (typeof node === 'number') {
      this.steps.push('literal')
      this.scalars.push(node)
    } else this.visit(node, where, 'expression')
  }

  private mask(given: Mask, where: string): void {
    this.visit(this.request.replaced?.get(given) ?? given, where, 'mask')
  }

  private visit(node: Expression | Mask, where: string, expected: 'expression' | 'mask'): void {
    if (typeof node !== 'object' || node === null || isMask(node) !== (expected === 'mask'))
      throw wrongKind(node, where, expected)
    const known = this.seen.get(node)
    if (known !== undefined) this.steps.push('again', known)
    else {
      this.enter(node, where, expected)
      this.seen.set(node, this.seen.size)
    }
  }

  private enter(node: Expression | Mask, where: string, expected: 'expression' | 'mask'): void {
    const { steps, scalars } = this
    switch (node.op) {
      case 'input':
        if (!(node.slot in this.inputDtypes))
          throw new TensorError({ code: 'input-slot', slot: node.slot, inputCount: this.inputDtypes.length })
        steps.push('input', node.slot)
        break
      case 'number':
        steps.push('scalar')
        scalars.push(node.value)
        break
      case 'vector':
        steps.push('vector', this.vectorSlot(node), node.per)
        break
      case 'uniform':
        steps.push('uniform', this.keyNumber(node.key))
        break
      case 'times':
        if (this.request.products !== true) throw new TensorError({ code: 'product-place' })
        steps.push('times', this.products.push(node) - 1)
        break
      case 'before':
        if (!Number.isSafeInteger(node.end) || node.end < 0) {
          throw new TensorError({
            code: 'number-range',
            what: 'the end of before()',
            value: node.end,
            expected: 'a whole number from 0 to 2^53 − 1',
          })
        }
        steps.push('before')
        scalars.push(node.end)
        break
      default:
        this.operation(node, where, expected)
    }
  }

  private operation(
    node: Extract<Expression | Mask, { op: Operation }>,
    where: string,
    expected: 'expression' | 'mask',
  ): void {
    const { op } = node
    if (!isOperation(op)) throw wrongKind(node, where, expected)
    this.steps.push(op)
    const nodes = node as unknown as Readonly<Record<string, Expression & Mask>>
    const operands: Readonly<Record<string, Kind>> = operations[op].operands
    for (const name in operands) {
      if (operands[name] === 'mask') this.mask(nodes[name]!, op)
      else this.value(nodes[name]!, op)
    }
  }

  private vectorSlot({ values, per }: Extract<Expression, { op: 'vector' }>): number {
    const same = this.vectors.findIndex((known, slot) => known === values && this.vectorPer[slot] === per)
    if (same >= 0) return same
    this.vectorPer.push(per)
    return this.vectors.push(values) - 1
  }

  private keyNumber(key: RandomKey): number {
    for (const word of [key.high, key.low]) {
      if (word !== word >>> 0)
        throw new TensorError({
          code: 'number-range',
          what: 'a word of a random key',
          value: word,
          expected: 'a whole number from 0 to 2^32 − 1',
        })
    }
    const known = this.keys.indexOf(key)
    if (known >= 0) return known
    this.scalars.push(key.high, key.low)
    return this.keys.push(key) - 1
  }
}

const none: readonly never[] = []

function wrongKind(node: unknown, where: string, expected: 'expression' | 'mask'): TensorError {
  const op = typeof node === 'object' && node !== null && 'op' in node ? node.op : undefined
  return new TensorError({ code: 'wrong-kind', where, expected, got: typeof op === 'string' ? op : String(node) })
}
