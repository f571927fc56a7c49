import { expect, test } from 'vitest'
import { createPickleStack } from './pickle-stack.ts'

const stackOf = (...values: readonly number[]) => {
  const stack = createPickleStack((expected) => {
    throw new Error(`needs ${expected}`)
  })
  for (const value of values) stack.push(value)
  return stack
}

test('values come back in turn, the last one first', () => {
  const stack = stackOf(1, 2)
  expect([stack.peek(), stack.pop(), stack.pop()]).toEqual([2, 2, 1])
  expect(() => stack.pop()).toThrow('needs a value')
  expect(() => stack.peek()).toThrow('needs a value')
})

test('several come in the order in which they were put', () => {
  const stack = stackOf(1, 2, 3)
  expect(stack.popMany(2)).toEqual([2, 3])
  expect(() => stack.popMany(2)).toThrow('needs 2 values')
  expect(stack.popMany(0)).toEqual([])
  expect(stack.popMany(1)).toEqual([1])
})

test('what is below a mark stays', () => {
  const stack = stackOf(1)
  stack.mark()
  expect(() => stack.pop()).toThrow('needs a value')
  expect(() => stack.popMany(1)).toThrow('needs 1 values')
  stack.push(2)
  stack.push(3)
  expect(() => stack.popMany(3)).toThrow('needs 3 values')
  expect(stack.popToMark()).toEqual([2, 3])
  expect(() => stack.popToMark()).toThrow('needs a mark')
  expect(stack.pop()).toBe(1)
})

test('marks stand in one another', () => {
  const stack = stackOf()
  stack.mark()
  stack.push(1)
  stack.mark()
  expect(stack.popToMark()).toEqual([])
  expect(stack.popToMark()).toEqual([1])
})

test('a value is dropped, or a mark with nothing above it', () => {
  const stack = stackOf(1, 2)
  stack.discard()
  stack.mark()
  stack.discard()
  expect(() => stack.popToMark()).toThrow('needs a mark')
  stack.mark()
  stack.push(3)
  stack.discard()
  expect(stack.popToMark()).toEqual([])
  expect(stack.pop()).toBe(1)
  expect(() => stack.discard()).toThrow('needs a value')
})

test('the top is of the kind that is needed, and stays', () => {
  const stack = stackOf()
  stack.push({ kind: 'list', items: [1] })
  expect(stack.top('list').items).toEqual([1])
  expect(() => stack.top('dict')).toThrow('needs a dict')
  expect(stack.pop()).toEqual({ kind: 'list', items: [1] })
  expect(() => stack.top('list')).toThrow('needs a value')
})

test('null is a value', () => {
  const stack = stackOf()
  stack.push(null)
  expect([stack.peek(), stack.pop()]).toEqual([null, null])
})
