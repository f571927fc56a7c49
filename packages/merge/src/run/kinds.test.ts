import { builtinMethods, defineMethod } from '@mk/methods'
import { expect, test } from 'vitest'
import type { Operation } from '../plan/merge-plan.ts'
import { createKinds, type KindFacts, type LastPass, mayShare } from './kinds.ts'

const linear = builtinMethods.get('linear')!
const parameters = { weight: [0.5, 0.25], normalize: true }
type Merge = Extract<Operation, { kind: 'merge' }>
const merge = (more: Partial<Merge> = {}): Merge => ({ kind: 'merge', models: [], parameters, ...more })
const sources = [{ dtype: 'BF16' }, { dtype: 'F32' }] as const

const facts = (more: Partial<KindFacts> = {}, operation: Operation = merge()): KindFacts => ({
  method: linear,
  tensor: { operation, dtype: 'BF16' },
  shape: [2, 3],
  sources,
  ...more,
})
const last = { work: { kind: 'copy', input: 0, finite: undefined }, ranges: [] } satisfies LastPass

test('what has the same facts is of one kind, though they are other objects', () => {
  const kinds = createKinds()
  kinds.add(facts(), last)
  const equal = merge({ parameters: { weight: [0.5, 0.25], normalize: true } })
  expect(kinds.find(facts({ shape: [2, 3] }, equal))?.last).toBe(last)
})

const base = { input: 0, name: 'x', source: {} as never }

test('copies are of one kind, whatever they are copies of', () => {
  const kinds = createKinds()
  const copy = (name: string) => facts({ sources: [{ dtype: 'BF16' }] }, { kind: 'copy', input: { ...base, name } })
  kinds.add(copy('x'), last)
  expect(kinds.find(copy('y'))?.last).toBe(last)
})

test.each<[string, KindFacts]>([
  ['method', facts({ method: builtinMethods.get('ties')! })],
  ['shape', facts({ shape: [3, 2] })],
  ['dtype', facts({ tensor: { operation: merge(), dtype: 'F16' } })],
  ['dtype of an input', facts({ sources: [{ dtype: 'BF16' }, { dtype: 'F16' }] })],
  ['number of inputs', facts({ sources: sources.slice(1) })],
  ['weight', facts({}, merge({ parameters: { weight: [0.5, 0.2], normalize: true } }))],
  ['sign of zero', facts({}, merge({ parameters: { weight: [0.5, -0], normalize: true } }))],
  ['parameter', facts({}, merge({ parameters: { ...parameters, normalize: false } }))],
  ['number of parameters', facts({}, merge({ parameters: { weight: parameters.weight } }))],
  ['depth', facts({}, merge({ layerDepth: 0.5 }))],
  ['base', facts({}, merge({ base }))],
  ['file of tensors', facts({}, merge({ tensors: {} }))],
  ['operation', facts({}, { kind: 'copy', input: base })],
  ['largest value', facts({ tensor: { operation: merge(), dtype: 'BF16', rows: { largest: 1 } as never } })],
  ['number that is added', facts({ tensor: { operation: merge(), dtype: 'BF16', rows: { add: 1 } as never } })],
])('another %s is another kind', (_, other) => {
  const kinds = createKinds()
  kinds.add(facts(), last)
  expect(kinds.find(other)).toBeUndefined()
})

test('the kinds that came up last are known, the one before stays where it is asked for', () => {
  const kinds = createKinds()
  kinds.add(facts({ shape: [1] }), last)
  for (let size = 2; size < 40; size++) {
    kinds.find(facts({ shape: [1] }))
    kinds.add(facts({ shape: [size] }), last)
  }
  expect(kinds.find(facts({ shape: [1] }))).toBeDefined()
  expect(kinds.find(facts({ shape: [2] }))).toBeUndefined()
  expect(kinds.find(facts({ shape: [39] }))).toBeDefined()
})

test('a method of the user’s own, one of matrices and one with files are asked for each tensor', () => {
  const own = defineMethod({ ...linear, name: 'linear' } as never)
  expect(mayShare(linear, merge())).toBe(true)
  expect(mayShare(own, merge())).toBe(false)
  expect(mayShare(builtinMethods.get('tsv_m')!, merge())).toBe(false)
  expect(mayShare(linear, merge({ tensors: {} }))).toBe(false)
  expect(mayShare(linear, { kind: 'rows', inputs: [], weights: [] })).toBe(false)
})
