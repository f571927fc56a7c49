import { createMatrix, type Matrix, multiply, transpose } from '@mk/linalg'
import { abs, add, createArraySession, div, type Expression, input, mul, neg, sub, times } from '@mk/tensor'
import { createReferenceRuntime } from '@mk/tensor/runtime'
import { expect, test } from 'vitest'
import { openOperator } from './open-operator.ts'
import { planOperator, planValues } from './plan-operator.ts'

const runtime = createReferenceRuntime()
const [rows, columns] = [300, 7]
const numbers = (size: number, seed: number) => Float64Array.from({ length: size }, (_, i) => Math.sin(i * i + seed))
const inputs = [1, 2].map((seed) => Float32Array.from(numbers(rows * columns, seed)))
const square = (size: number, seed: number) => createMatrix(size, size, numbers(size * size, seed))
const [narrow, tall] = [square(columns, 3), square(rows, 4)]
const difference = sub(input(0), input(1))

const cases: readonly (readonly [string, Expression])[] = [
  ['elements', difference],
  ['zero', { op: 'number', value: 0 }],
  ['products on the right', times(times(difference, narrow), narrow)],
  ['products on the left', times(difference, tall, 'rows')],
  ['sums', neg(add(mul(2, times(input(0), narrow)), sub(div(times(input(1), narrow), 4), difference)))],
  ['what is not linear in products', mul(abs(times(difference, narrow)), input(1))],
  ['the same on the left', add(abs(times(difference, tall, 'rows')), times(input(0), tall, 'rows'))],
]

test.each(cases)('multiplies as the matrix of its elements does: %s', async (_, value) => {
  const matrix = { shape: [rows, columns], inputDtypes: ['F32', 'F32'] as const }
  const bytes = inputs.map(({ buffer }) => new Uint8Array(buffer))
  const session = createArraySession({
    shape: matrix.shape,
    inputs: bytes.map((each) => ({ dtype: 'F32', bytes: each })),
    runtime,
  })
  const stored = await session.evaluate(value, 'F32')
  const dense = createMatrix(rows, columns, Float64Array.from(new Float32Array(stored.buffer)))
  const operator = await openOperator(planOperator(value, matrix), planValues(value, matrix), {
    runtime,
    inputBytes: [4, 4],
    read: (slot, start, into) => into.set(bytes[slot]!.subarray(4 * start, 4 * start + into.length)),
  })
  const [right, left] = [createMatrix(columns, 3, numbers(3 * columns, 5)), createMatrix(rows, 3, numbers(3 * rows, 6))]
  expectNear(await operator.multiply(right), multiply(dense, right))
  expectNear(await operator.multiplyTransposed(left), multiply(transpose(dense), left))
  const norm = dense.values.reduce((sum, each) => sum + each * each, 0)
  expect(Math.abs((await operator.squaredNorm()) - norm)).toBeLessThanOrEqual(1e-6 * norm)
})

function expectNear(found: Matrix, expected: Matrix): void {
  expect([found.rows, found.columns]).toEqual([expected.rows, expected.columns])
  const most = expected.values.reduce((largest, each) => Math.max(largest, Math.abs(each)), 0)
  found.values.forEach((each, i) => expect(Math.abs(each - expected.values[i]!)).toBeLessThanOrEqual(2e-6 * most))
}
