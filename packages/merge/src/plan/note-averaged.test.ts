import { builtinMethods } from '@mk/methods'
import { expect, test } from 'vitest'
import type { Operation } from './merge-plan.ts'
import { noteAveraged } from './note-averaged.ts'
import { NoteList } from './notes.ts'
import type { PlanContext } from './plan-context.ts'

const merge = (method?: string, tensors?: object): Operation =>
  ({ kind: 'merge', models: [], parameters: {}, ...(method && { method }), ...(tensors && { tensors }) }) as Operation
const tensor = (name: string, operation: Operation, shape: readonly number[] = [4, 4]) => ({ name, shape, operation })

function notesOf(...tensors: readonly ReturnType<typeof tensor>[]) {
  const notes = new NoteList()
  const context = {
    config: { mergeMethod: [{ method: 'linear', filter: 'mlp' }, { method: 'regmean' }] },
    methodCalled: (name: string) => builtinMethods.get(name)!,
    notes,
  } as unknown as PlanContext
  noteAveraged(context, tensors)
  return notes.texts()
}
const averaged = (names: string, method: string, them: string) =>
  `${names}: averaged by weight, since no file that ${method} is given has a matrix for ${them}`

test('matrices that no file has anything for are named, by method', () => {
  expect(notesOf(tensor('a', merge()))).toEqual([averaged('a', 'regmean', 'it')])
  expect(notesOf(tensor('a', merge()), tensor('b', merge('regmean')))).toEqual([averaged('a, b', 'regmean', 'them')])
})

test('nothing is said of what a file has, of what is no matrix, and of what is merged without files or not at all', () => {
  expect(notesOf(tensor('a', merge('regmean', { statistics: [] })))).toEqual([])
  expect(notesOf(tensor('a', merge(), [4]))).toEqual([])
  expect(notesOf(tensor('a', merge('linear')))).toEqual([])
  expect(notesOf(tensor('a', { kind: 'other-factor', of: 'x' }))).toEqual([])
})
