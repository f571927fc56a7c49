import { expect, test } from 'vitest'
import type { PickleTensor, PickleValue } from './machine/pickle-value.ts'
import { selectStateDict } from './state-dict.ts'

const dict = (entries: Readonly<Record<string, PickleValue>>): PickleValue => ({
  kind: 'dict',
  entries: new Map(Object.entries(entries)),
})
const tensor: PickleTensor = {
  kind: 'tensor',
  storage: { kind: 'storage', key: '0', type: 'torch.FloatStorage', elementCount: 1, viewOffset: 0 },
  type: 'torch.FloatStorage',
  elementOffset: 0,
  shape: [1],
  strides: [1],
}
const found = (root: PickleValue) => {
  const { tensors, notes } = selectStateDict(root, 'f')
  return [[...tensors.keys()], notes]
}

test('tensors at the top are taken, and what is beside them is told', () => {
  expect(found(dict({ a: tensor, b: tensor }))).toEqual([['a', 'b'], []])
  expect(found(dict({ a: tensor, epoch: 3, state: dict({}) }))).toEqual([
    ['a'],
    ['f: left out what is no tensor: epoch, state'],
  ])
})

test.each(['state_dict', 'model', 'model_state_dict', 'module', 'params_ema', 'params'])(
  'tensors under %s are taken where there are none at the top',
  (wrapper) => {
    expect(found(dict({ [wrapper]: dict({ a: tensor }), epoch: 3 }))).toEqual([
      ['a'],
      [`f: tensors were taken from '${wrapper}'; left out beside it: epoch`],
    ])
    expect(found(dict({ [wrapper]: dict({ a: tensor }) }))).toEqual([['a'], []])
  },
)

test('of several the one that is named first in that list is taken', () => {
  const root = dict({ params: dict({ p: tensor }), params_ema: dict({ e: tensor }), model: dict({ m: tensor }) })
  expect(found(root)).toEqual([['m'], ["f: tensors were taken from 'model'; left out beside it: params, params_ema"]])
})

test('beside tensors at the top only a state_dict counts', () => {
  expect(found(dict({ a: tensor, state_dict: dict({ b: tensor }) }))[0]).toEqual(['b'])
  expect(found(dict({ a: tensor, model: dict({ b: tensor }) }))).toEqual([
    ['a'],
    ['f: left out what is no tensor: model'],
  ])
})

test('many names are told up to eight, long ones up to 80 letters', () => {
  const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, index]))
  const [, eight] = found(dict({ a: tensor, ...many(8) }))
  expect(eight).toEqual(['f: left out what is no tensor: n0, n1, n2, n3, n4, n5, n6, n7'])
  const [, nine] = found(dict({ a: tensor, ...many(9) }))
  expect(nine).toEqual(['f: left out what is no tensor: n0, n1, n2, n3, n4, n5, n6, n7 and 1 more'])
  const [, long] = found(dict({ a: tensor, [`${'x'.repeat(80)}`]: 1, ['y'.repeat(81)]: 1 }))
  expect(long).toEqual([`f: left out what is no tensor: ${'x'.repeat(80)}, ${'y'.repeat(80)}…`])
})

test.each<[PickleValue, string]>([
  [{ kind: 'list', items: [tensor] }, 'pickle-no-state-dict'],
  [tensor, 'pickle-no-state-dict'],
  [dict({ optimizer: dict({ a: tensor }) }), 'pickle-no-state-dict'],
  [{ kind: 'dict', entries: new Map([[1, tensor]]) }, 'pickle-key'],
])('%j is none', (root, code) => {
  expect(() => selectStateDict(root, 'f')).toThrow(expect.objectContaining({ code }))
})
