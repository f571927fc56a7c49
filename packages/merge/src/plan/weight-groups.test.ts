import { expect, test } from 'vitest'
import { sourceFiles, type TensorSource } from '@mk/source'
import type { CountedTensor, MergePlan, Operation, ParameterValue, PlannedTensorInput } from './merge-plan.ts'
import { findRuleOf, groupWeights, listCountedWeights, withoutRules } from './weight-groups.ts'

const file = (name: string, shape: readonly number[] = [2]) =>
  ({ kind: 'file', dtype: 'F32', shape, file: name, byteStart: 0 }) as const
const given = (input: number): PlannedTensorInput => ({ input, name: 'w', source: file(`of-${input}`) })
const merge = (parameters: Readonly<Record<string, ParameterValue>>, more: Partial<Operation> = {}): Operation =>
  ({ kind: 'merge', models: [given(1), given(2)], parameters, ...more }) as Operation
const byNorm = merge({ t: 0.5, weight: ['metagpt', 'metagpt'] })
const ofFile = merge({ importance: ['metagpt', 'metagpt'] }, { tensors: { importance: [] } })

test('a rule is found among the weights, and is no name of a file', () => {
  expect(findRuleOf(byNorm)).toBe('metagpt')
  expect(findRuleOf(merge({ weight: 'inverse_norm' }))).toBe('inverse_norm')
  expect(findRuleOf(merge({ weight: [1, 2], consensus_method: 'sum' }))).toBeUndefined()
  expect(findRuleOf(ofFile)).toBeUndefined()
  expect(findRuleOf({ kind: 'copy', input: given(0) })).toBeUndefined()
})

test('numbers take the place of the rule alone', () => {
  expect(withoutRules(byNorm, [3, 4])).toEqual(merge({ t: 0.5, weight: [3, 4] }))
  const mixed = merge({ weight: ['metagpt', 'metagpt'], density: [1, 0.5], lambda: 2, consensus_method: 'sum' })
  expect(withoutRules(mixed, [3, 4])).toEqual(
    merge({ weight: [3, 4], density: [1, 0.5], lambda: 2, consensus_method: 'sum' }),
  )
  expect(withoutRules(ofFile, [3, 4])).toEqual(ofFile)
  const copy: Operation = { kind: 'copy', input: given(0) }
  expect(withoutRules(copy, [3, 4])).toBe(copy)
})

const tensor = (name: string, operation: Operation) => ({ name, shape: [2], operation })
const inputs = ['base', 'a', 'b'].map((label) => ({ label }))
const plan = (tensors: readonly object[], stages?: readonly object[]) =>
  ({ inputs, tensors, ...(stages && { stages }) }) as unknown as MergePlan

test('tensors of the same models and rule are one group, stages before the output', () => {
  const based = merge({ weight: ['metagpt', 'metagpt'] }, { base: given(0) })
  const tensors = [tensor('x', byNorm), tensor('y', based), tensor('z', byNorm), tensor('n', merge({ weight: [1, 1] }))]
  const stage = {
    name: 'inner',
    inputs: [{ label: 'c' }, { label: 'd' }, { label: 'e' }],
    tensors: [tensor('s', byNorm)],
  }
  const copied = tensor('c', { kind: 'copy', input: given(0) })
  const inverse = tensor('i', merge({ weight: ['inverse_norm', 'inverse_norm'] }))
  const groups = groupWeights(plan([...tensors, copied, inverse], [stage]))
  expect(
    groups.map(({ rule, stage: of, labels, baseLabel, tensors: found }) => [
      rule,
      of,
      labels.join(),
      baseLabel,
      found.map(({ name }) => name).join(),
    ]),
  ).toEqual([
    ['metagpt', 'inner', 'd,e', undefined, 's'],
    ['metagpt', undefined, 'a,b', undefined, 'x,z'],
    ['metagpt', undefined, 'a,b', 'base', 'y'],
    ['inverse_norm', undefined, 'a,b', undefined, 'i'],
  ])
  expect(groups.map((group) => 'stage' in group)).toEqual([true, false, false, false])
  expect(listCountedWeights(plan(tensors, [stage]))).toEqual([
    { rule: 'metagpt', stage: 'inner', models: ['d', 'e'], tensorCount: 1 },
    { rule: 'metagpt', models: ['a', 'b'], tensorCount: 2 },
    { rule: 'metagpt', models: ['a', 'b'], tensorCount: 1 },
  ])
})

test('norms are counted of the factors where task vectors are adapters, else of elements', () => {
  const adapted = (over: TensorSource, name: string, transposed = false): TensorSource => {
    const [a, b] = [file(`${name}-a`, [1, 2]), file(`${name}-b`, [2, 1])]
    return { kind: 'lora', dtype: 'F32', shape: [2], source: over, a, b, scale: 3, transposed }
  }
  const [base, other] = [file('of-0'), file('of-1')]
  const countedOf = (rule: string, under: TensorSource | undefined, ...sources: readonly TensorSource[]) => {
    const input = (source: TensorSource) => ({ input: 0, name: 'w', source })
    const weight = sources.map(() => rule)
    const models = sources.map(input)
    const operation = { kind: 'merge', models, parameters: { weight }, ...(under && { base: input(under) }) } as const
    const [{ base: read, models: counted }] = groupWeights(plan([tensor('x', operation)]))[0]!.tensors as [
      CountedTensor,
    ]
    const each = counted.map((model) =>
      model.kind === 'elements'
        ? model.source
        : model.scales.map((scale, i) => `${scale} ${sourceFiles([model.factors[2 * i]!]).join()}`),
    )
    return [read, ...each]
  }
  const [a, b] = [adapted(base, 'a'), adapted(base, 'b')]
  expect(countedOf('metagpt', base, a, adapted(b, 'a'), base)).toEqual([undefined, ['3 a-a'], ['3 b-a', '3 a-a'], []])
  expect(countedOf('metagpt', base, a, other)).toEqual([base, ['3 a-a'], other])
  // What base and model share is no part of the difference, and what the base alone has is taken off.
  expect(countedOf('metagpt', a, adapted(a, 'b'), b, a)).toEqual([undefined, ['3 b-a'], ['3 b-a', '-3 a-a'], []])
  expect(countedOf('metagpt', base, adapted(a, 'b', true))).toEqual([base, adapted(a, 'b', true)])
  expect(countedOf('inverse_norm', base, a, other)).toEqual([undefined, a, other])
  expect(countedOf('metagpt', undefined, a)).toEqual([undefined, a])
})

test('a plan without such weights has no groups', () => {
  expect(groupWeights(plan([tensor('n', merge({ weight: [1, 1] }))]))).toEqual([])
})
