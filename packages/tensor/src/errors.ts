import type { Dtype } from '@mk/safetensors'

export type TensorIssue =
  /** An expression where a mask belongs, a mask where an expression belongs, or neither. */
  | {
      readonly code: 'wrong-kind'
      readonly where: string
      readonly expected: 'expression' | 'mask'
      readonly got: string
    }
  | { readonly code: 'input-slot'; readonly slot: number; readonly inputCount: number }
  /** A number outside its range: `before` of a negative index, a key that isn't two 32-bit words, a rank past the last element. */
  | { readonly code: 'number-range'; readonly what: string; readonly value: number; readonly expected: string }
  | {
      readonly code: 'vector-length'
      readonly per: 'row' | 'column'
      readonly length: number
      readonly elementCount: number
      readonly columns: number | undefined
    }
  | { readonly code: 'columns'; readonly columns: number; readonly elementCount: number }
  | { readonly code: 'program'; readonly where: string; readonly problem: string }
  | { readonly code: 'call'; readonly problem: string }
  | {
      readonly code: 'input-bytes'
      readonly slot: number
      readonly dtype: Dtype
      readonly expected: number
      readonly got: number
    }
  /** Two runs of one expression over the same elements disagreed. */
  | { readonly code: 'unstable'; readonly what: string }
  | { readonly code: 'unsupported'; readonly runtime: string; readonly what: string }

/** Everything that this package throws. Test `code`; the message is for people. */
export class TensorError extends Error {
  override readonly name = 'TensorError'
  readonly issue: TensorIssue

  constructor(issue: TensorIssue, options?: ErrorOptions) {
    super(describe(issue), options)
    this.issue = issue
  }

  get code(): TensorIssue['code'] {
    return this.issue.code
  }
}

function describe(issue: TensorIssue): string {
  switch (issue.code) {
    case 'wrong-kind':
      return `${issue.where}: got ${issue.got}, expected ${issue.expected === 'mask' ? 'a mask (a comparison, and, or, not, before)' : 'an expression or a number'}`
    case 'input-slot':
      return `input ${issue.slot} does not exist: expected a whole number from 0 to ${issue.inputCount - 1}`
    case 'number-range':
      return `${issue.what} is ${issue.value}, expected ${issue.expected}`
    case 'vector-length':
      return `a ${issue.per} vector has ${issue.length} values, which does not fit a tensor of ${issue.elementCount} elements${issue.columns === undefined ? '' : ` seen as a matrix of ${issue.columns} columns`}`
    case 'columns':
      return `${issue.elementCount} elements cannot be seen as a matrix of ${issue.columns} columns: expected a divisor`
    case 'program':
      return `${issue.where} of a program: ${issue.problem}`
    case 'call':
      return `kernel call: ${issue.problem}`
    case 'input-bytes':
      return `input ${issue.slot} (${issue.dtype}) has ${issue.got} bytes, expected ${issue.expected}`
    case 'unstable':
      return `${issue.what} changed between two passes over the same elements`
    case 'unsupported':
      return `runtime ${issue.runtime} does not support ${issue.what}`
    default:
      return issue satisfies never
  }
}
