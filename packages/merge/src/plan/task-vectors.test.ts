import { input, sub } from '@mk/tensor'
import { expect, test } from 'vitest'
import { type TaskVectorChange, taskVectors } from './task-vectors.ts'

const change = (hasBase: boolean): TaskVectorChange => ({
  kind: 'task-vectors',
  transposed: false,
  hasBase,
  modelCount: 2,
  isMoved: false,
  parameters: {},
})

test('task vectors are the models less the base, the first input, or the models themselves', () => {
  expect(taskVectors(change(true), false)).toEqual({
    base: undefined,
    models: [sub(input(1), input(0)), sub(input(2), input(0))],
  })
  expect(taskVectors(change(false), false)).toEqual({ base: undefined, models: [input(0), input(1)] })
})

test('a method that needs a base is given zeros', () => {
  expect(taskVectors(change(true), true).base).toEqual({ op: 'number', value: 0 })
})
