import type { MergeConfig } from '@mk/config'
import { describe, expect, test } from 'vitest'
import {
  listMethods,
  mainMethod,
  methodOf,
  type Operation,
  operationInputs,
  plannedModels,
  plannedSources,
  type PlannedStage,
  type PlannedTensorInput,
} from './merge-plan.ts'

const given = (input: number): PlannedTensorInput => ({
  input,
  name: `w${input}`,
  source: { kind: 'file', dtype: 'F32', shape: [4], file: `f${input}`, byteStart: 0 },
})
const merge = (method?: string): Operation => ({
  kind: 'merge',
  ...(method !== undefined && { method }),
  models: [given(1), given(2)],
  parameters: {},
})
const factors = (change: object): Operation =>
  ({ kind: 'factors', other: 'b', inputs: [given(3)], change }) as unknown as Operation
const knots = (method?: string) =>
  factors({ kind: 'knots', products: [], modelInputs: [], parameters: {}, ...(method && { method }) })
const products = factors({ kind: 'products', products: [] })
const copy: Operation = { kind: 'copy', input: given(0) }
const rows: Operation = { kind: 'rows', inputs: [given(4), given(5)], weights: [] }
const plan = { method: 'ties' }
const planOf = (...operations: readonly Operation[]) => ({
  ...plan,
  tensors: operations.map((operation) => ({ operation })),
})

test('the main method of a recipe is the one that no filter names', () => {
  expect(mainMethod({ mergeMethod: [{ method: 'slerp' }, { method: 'ties' }] } as unknown as MergeConfig)).toBe('ties')
})

describe('the method of a tensor', () => {
  test.each([
    [merge('slerp'), 'slerp'],
    [merge(), 'ties'],
    [knots('dare_ties'), 'dare_ties'],
    [knots(), 'ties'],
    [products, 'ties'],
    [copy, 'ties'],
    [rows, 'ties'],
  ])('is its own, else the plan’s: %#', (operation, method) => {
    expect(methodOf(plan, operation)).toBe(method)
  })
})

describe('the methods of a plan', () => {
  test.each([
    [[merge()], ['ties']],
    [
      [merge('slerp'), merge('linear'), merge('slerp')],
      ['slerp', 'linear'],
    ],
    [
      [merge('slerp'), merge()],
      ['ties', 'slerp'],
    ],
    [[copy, rows, products, merge('slerp')], ['slerp']],
    [[knots('dare_ties')], ['dare_ties']],
    [[copy, rows], ['ties']],
    [[], ['ties']],
  ] as const)('are those that merge something, its own first: %#', (operations, methods) => {
    expect(listMethods(planOf(...operations))).toEqual(methods)
  })

  test('are also those of its stages, which have their own main one', () => {
    const stage = { method: 'della', tensors: planOf(merge(), copy).tensors }
    expect(listMethods({ ...planOf(merge()), stages: [stage] })).toEqual(['ties', 'della'])
    expect(listMethods({ ...planOf(copy), stages: [stage] })).toEqual(['della'])
  })
})

test.each<[Operation, readonly number[]]>([
  [copy, [0]],
  [merge(), [1, 2]],
  [{ ...merge(), base: given(0) } as Operation, [0, 1, 2]],
  [{ ...merge(), base: given(0), tensors: { importance: [given(6), given(7)] } } as Operation, [0, 1, 2, 6, 7]],
  [rows, [4, 5]],
  [{ kind: 'slerp-rows', inputs: [given(4)], weights: [], t: 0 }, [4]],
  [products, [3]],
  [{ kind: 'other-factor', of: 'a' }, []],
])('the inputs of an operation have the base first, and files of parameters last: %#', (operation, inputs) => {
  expect(operationInputs(operation).map(({ input }) => input)).toEqual(inputs)
})

test('what is read for a plan is also what is read for its stages', () => {
  const inputs = [{ label: 'a' }, { label: 'inner', stage: 'inner' }] as never
  const stages = [
    { name: 'inner', inputs: [{ label: 'b' }], tensors: planOf(copy).tensors },
  ] as unknown as PlannedStage[]
  const { tensors } = planOf(merge()) as never as { tensors: never }
  expect(plannedSources({ tensors, stages }).map((source) => 'file' in source && source.file)).toEqual([
    'f1',
    'f2',
    'f0',
  ])
  expect(plannedSources({ tensors })).toHaveLength(2)
  expect(plannedModels({ inputs, stages }).map(({ label }) => label)).toEqual(['a', 'b'])
  expect(plannedModels({ inputs }).map(({ label }) => label)).toEqual(['a'])
})
