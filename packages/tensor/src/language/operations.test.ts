import { expect, it } from 'vitest'
import { expFloat32, logFloat32 } from '../numbers/elementary.ts'
import { isMask, isOperation, operations, type Operation } from './operations.ts'

/** What an operation makes of operands, each on the elements before `count`. */
function run(op: Operation, operands: Readonly<Record<string, readonly number[]>>, columns = 1): number[] {
  const { reference, operands: kinds, result } = operations[op]
  const given = Object.fromEntries(
    Object.entries(operands).map(([name, values]) => [
      name,
      (kinds as Record<string, string>)[name] === 'mask' ? Uint8Array.from(values) : Float32Array.from(values),
    ]),
  )
  const count = Object.values(operands)[0]!.length
  const out = result === 'mask' ? new Uint8Array(count) : new Float32Array(count)
  ;(reference as (out: object, given: object, extent: object) => void)(out, given, { count, columns })
  return [...out]
}

const nan = Number.NaN
it.each<[Operation, number[]]>([
  ['neg', [-4, 0, 2.25, nan]],
  ['abs', [4, 0, 2.25, nan]],
  ['sqrt', [2, -0, nan, nan]],
  ['exp', [expFloat32(4), 1, expFloat32(-2.25), nan]],
  ['log', [logFloat32(4), -Infinity, nan, nan]],
])('%s of 4, −0, −2.25 and NaN', (op, expected) => {
  expect(run(op, { a: [4, -0, -2.25, nan] })).toEqual(expected)
})

it.each<[Operation, number[]]>([
  ['add', [3, 4, 5, nan]],
  ['sub', [-1, 0, 1, nan]],
  ['mul', [2, 4, 6, nan]],
  ['div', [0.5, 1, 1.5, nan]],
  ['minimum', [1, 2, 2, nan]],
  ['maximum', [2, 2, 3, nan]],
  ['lt', [1, 0, 0, 0]],
  ['le', [1, 1, 0, 0]],
  ['gt', [0, 0, 1, 0]],
  ['ge', [0, 1, 1, 0]],
  ['eq', [0, 1, 0, 0]],
  ['ne', [1, 0, 1, 1]],
])('%s of 1, 2, 3 and NaN with 2', (op, expected) => {
  expect(run(op, { a: [1, 2, 3, nan], b: [2, 2, 2, 2] })).toEqual(expected)
})

it('has comparisons that are false with NaN, but for ne', () => {
  for (const op of ['lt', 'le', 'gt', 'ge', 'eq'] as const)
    expect(run(op, { a: [1, nan], b: [nan, nan] })).toEqual([0, 0])
  expect(run('ne', { a: [1, nan], b: [nan, nan] })).toEqual([1, 1])
})

it('has masks of 0 and 1', () => {
  const [a, b] = [
    [0, 0, 1, 1],
    [0, 1, 0, 1],
  ]
  expect(run('and', { a: a!, b: b! })).toEqual([0, 0, 0, 1])
  expect(run('or', { a: a!, b: b! })).toEqual([0, 1, 1, 1])
  expect(run('not', { a: a! })).toEqual([1, 1, 0, 0])
  expect(run('select', { mask: a!, a: [1, 2, 3, 4], b: [5, 6, 7, 8] })).toEqual([5, 6, 3, 4])
})

it('ranks in each row, NaN last, equal ones by their place', () => {
  expect(run('rank', { a: [3, 1, 2, nan, 0, 0] }, 3)).toEqual([2, 0, 1, 2, 0, 1])
  expect(run('rank', { a: [0, -0, -1, 5] }, 4)).toEqual([1, 2, 0, 3])
})

it('tells masks and operations by their names', () => {
  const value = { op: 'input', slot: 0 } as const
  expect([
    isMask({ op: 'before', end: 3 }),
    isMask({ op: 'lt', a: value, b: value }),
    isMask({ op: 'not', a: { op: 'before', end: 1 } }),
  ]).toEqual([true, true, true])
  expect([isMask(value), isMask(1), isMask({ op: 'add', a: value, b: value }), isMask(null as never)]).toEqual([
    false,
    false,
    false,
    false,
  ])
  expect([isOperation('lt'), isOperation('input'), isOperation('toString')]).toEqual([true, false, false])
})
