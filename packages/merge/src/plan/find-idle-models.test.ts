import { builtinMethods } from '@mk/methods'
import { expect, test } from 'vitest'
import { findIdleModels } from './find-idle-models.ts'
import type { OutputTensor } from './list-output-tensors.ts'
import type { Operation, PlannedTensorInput } from './merge-plan.ts'
import type { PlanContext } from './plan-context.ts'
import type { UnplacedTensor } from './plan-files.ts'

const context = { inputs: { labels: ['a', 'b'], locate: () => 'r.yml:1:1' } } as unknown as PlanContext
const given = (input: number): PlannedTensorInput => ({
  input,
  name: 'w',
  source: { kind: 'file', dtype: 'F32', shape: [4], file: 'f', byteStart: 0 },
})
const origins = [0, 1].map((input) => ({ input, name: 'w', expectedName: 'w', blocks: [] }))

interface Case {
  readonly operation: Operation
  readonly method?: string
  readonly hasBase?: boolean
  readonly role?: OutputTensor['role']
}

/** What is said of models a and b, of which one tensor is made. */
function idleOf({ operation, method = 'linear', hasBase = false, role }: Case) {
  const [base, model] = origins
  const tensor = {
    name: 'w',
    role,
    depth: 0,
    vocabularyAxis: undefined,
    method: builtinMethods.get(method) ?? { ...builtinMethods.get('linear')! },
    base: hasBase ? base : undefined,
    models: hasBase ? [model!] : origins,
    blocks: [],
  } as OutputTensor
  return findIdleModels(context, [tensor], [{ name: 'w', dtype: 'F32', shape: [4], operation } as UnplacedTensor])
}
const merge = (parameters: Record<string, number | readonly number[]>, hasBase = false): Operation => ({
  kind: 'merge',
  models: hasBase ? [given(1)] : [given(0), given(1)],
  parameters,
  ...(hasBase && { base: given(0) }),
})
const says = (text: string) => [`${text} for all tensors`]

test.each<[string, Record<string, number | readonly number[]>, boolean, readonly string[]]>([
  ['linear', { weight: [1, 0] }, false, says('b contributes nothing: its weight is 0')],
  ['linear', { weight: [0, 1] }, false, says('a contributes nothing: its weight is 0')],
  ['linear', { weight: [1, 1] }, false, []],
  ['ties', { weight: [1], density: [0] }, true, says('b contributes nothing: its density is 0')],
  ['ties', { weight: [1], density: [1], lambda: 0 }, true, says('b contributes nothing: lambda is 0')],
  ['sce', { select_topk: 0 }, true, says('b contributes nothing: select_topk is 0')],
  ['slerp', { t: 0 }, true, says('b contributes nothing: t is 0')],
  ['slerp', { t: 1 }, true, says('a contributes nothing: t is 1')],
  ['slerp', { t: 0, lambda: 0 }, true, says('b contributes nothing: t is 0')],
  ['slerp', { lambda: 0 }, true, []],
  ['slerp', { t: 0.5 }, true, []],
  ['nearswap', { t: 0 }, true, says('b contributes nothing: t is 0')],
  ['nearswap', { t: 1 }, true, []],
  ['ties', { t: 0 }, true, []],
  ['ties', { t: 1 }, true, []],
])('%s with %j, a base: %s', (method, parameters, hasBase, sentences) => {
  expect(idleOf({ operation: merge(parameters, hasBase), method, hasBase })).toEqual(sentences)
})

test('of a method of one’s own nothing is said', () => {
  expect(idleOf({ operation: merge({ weight: [1, 0] }), method: 'own' })).toEqual([])
})

test.each<Operation>([
  { kind: 'rows', inputs: [given(0), given(1)], weights: [] },
  { kind: 'slerp-rows', inputs: [given(0), given(1)], weights: [], t: 0 },
  { kind: 'factors', other: 'x', inputs: [], change: { kind: 'difference', transposed: false } },
  { kind: 'other-factor', of: 'x' },
  { kind: 'copy', input: given(0) },
])('nothing is said of $kind', (operation) => {
  expect(idleOf({ operation })).toEqual([])
})

/** Two tensors: of the first, b has no weight; what the other one shows of it. */
const idleWith = (operation: Operation, role?: OutputTensor['role']) => {
  const tensor = (name: string, one: OutputTensor['role']) =>
    ({ name, role: one, method: builtinMethods.get('linear'), base: undefined, models: origins, blocks: [] }) as unknown
  return findIdleModels(
    context,
    [tensor('w', undefined), tensor('x', role)] as OutputTensor[],
    [
      ['w', merge({ weight: [1, 0] })],
      ['x', operation],
    ].map(([name, made]) => ({ name, operation: made }) as UnplacedTensor),
  )
}

test('a model that gives any tensor is not idle, unless that is a buffer', () => {
  const idle = says('b contributes nothing: its weight is 0')
  expect(idleWith({ kind: 'copy', input: given(1) })).toEqual([])
  expect(idleWith({ kind: 'copy', input: given(1) }, 'buffer')).toEqual(idle)
  expect(idleWith({ kind: 'copy', input: given(0) })).toEqual(idle)
  expect(idleWith(merge({ weight: [1, 0.5] }))).toEqual([])
})
