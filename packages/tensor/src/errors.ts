import { defineError, defineIssues, failure, type IssueOf, usage } from '@mk/errors'
import type { Dtype } from '@mk/safetensors'

/** What is wrong with expressions, and with reductions over them: a defect of whoever wrote them. */
const languageRules = defineIssues({
  /** An expression where a mask belongs, a mask where an expression belongs, or neither. */
  'wrong-kind': failure<{ readonly where: string; readonly expected: 'expression' | 'mask'; readonly got: string }>(
    ({ where, expected, got }) =>
      `${where}: got ${got}, expected ${expected === 'mask' ? 'a mask (a comparison, and, or, not, before)' : 'an expression or a number'}`,
  ),
  'input-slot': failure<{ readonly slot: number; readonly inputCount: number }>(
    ({ slot, inputCount }) => `input ${slot} does not exist: expected a whole number below ${inputCount}`,
  ),
  /** A number outside its range: `before` of a negative index, a key that isn't two 32-bit words, a rank past the last element. */
  'number-range': failure<{ readonly what: string; readonly value: number; readonly expected: string }>(
    ({ what, value, expected }) => `${what} is ${value}, expected ${expected}`,
  ),
  'vector-length': failure<{
    readonly per: 'row' | 'column'
    readonly length: number
    readonly elementCount: number
    readonly columns: number | undefined
  }>(
    ({ per, length, elementCount, columns }) =>
      `a ${per} vector has ${length} values, which does not fit a tensor of ${elementCount} elements${columns === undefined ? '' : ` seen as a matrix of ${columns} columns`}`,
  ),
  'matrix-columns': failure<{ readonly columns: number; readonly elementCount: number }>(
    ({ columns, elementCount }) =>
      `${elementCount} elements cannot be seen as a matrix of ${columns} columns: expected a divisor`,
  ),
  'product-place': failure(
    () =>
      'a product with a matrix stands where elements are looked at one by one: expected in what a method returns, or in crossProduct',
  ),
  'product-sizes': failure<{ readonly what: string; readonly got: string; readonly expected: string }>(
    ({ what, got, expected }) => `matrix product: ${what} is ${got}, expected ${expected}`,
  ),
  /** Two runs of one expression over the same elements disagreed. */
  unstable: failure<{ readonly what: string }>(
    ({ what }) => `${what} changed between two passes over the same elements`,
  ),
})

/** What a runtime refuses. */
const runtimeRules = defineIssues({
  'malformed-program': failure<{ readonly where: string; readonly problem: string }>(
    ({ where, problem }) => `${where} of a program: ${problem}`,
  ),
  'malformed-call': failure<{ readonly problem: string }>(({ problem }) => `kernel call: ${problem}`),
  'input-bytes': failure<{
    readonly slot: number
    readonly dtype: Dtype
    readonly expected: number
    readonly got: number
  }>(({ slot, dtype, expected, got }) => `input ${slot} (${dtype}) has ${got} bytes, expected ${expected}`),
  /** What `withFallback` leaves to another runtime. */
  'unsupported-program': failure<{ readonly runtime: string; readonly what: string }>(
    ({ runtime, what }) => `runtime ${runtime} does not support ${what}`,
  ),
  /** What is missing here, and what to do about it. */
  'runtime-unavailable': usage<{ readonly runtime: string; readonly missing: string; readonly remedy: string }>(
    ({ runtime, missing, remedy }) => `the ${runtime} runtime cannot run here: ${missing}; ${remedy}`,
  ),
  'runtime-option': usage<{ readonly option: string; readonly value: number; readonly expected: string }>(
    ({ option, value, expected }) => `${option} is ${value}, expected ${expected}`,
  ),
  'runtime-closed': failure(() => 'the runtime has been closed: expected no calls after close()'),
})

const rules = { ...languageRules, ...runtimeRules }

/** What a TensorError is about, by `code`. */
export type TensorIssue = IssueOf<typeof rules>

/** What this package and the runtimes throw. Test `code`; the message is for people. */
export class TensorError extends defineError('TensorError', rules) {}
