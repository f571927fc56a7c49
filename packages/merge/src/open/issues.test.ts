import { expect, test } from 'vitest'
import { inputRules } from './issues.ts'
import { listTokens } from './list-tokens.ts'

const words = (count: number) => Array.from({ length: count }, (_, index) => `t${index}`)

test.each([
  [1, '"t0"'],
  [5, '"t0", "t1", "t2", "t3", "t4"'],
  [6, '"t0", "t1", "t2", "t3", "t4" and 1 more'],
  [9, '"t0", "t1", "t2", "t3", "t4" and 4 more'],
])('of %i tokens at most five are listed', (count, text) => {
  expect(listTokens(words(count))).toBe(text)
})

test.each(['recipe-faults', 'models-unreachable'] as const)('of %s at most twenty are listed', (code) => {
  const textOf = (count: number) =>
    inputRules[code].text({ faults: words(count).map((text) => ({ code: 'x', text })) }).split('\n')
  expect(textOf(20)).toEqual(words(20))
  expect(textOf(23)).toEqual([...words(20), 'and 3 more'])
})

test('experts in two forms are told by what released checkpoints have', () => {
  const issue = { family: 'f', model: 'a', name: 'x.0.w1', other: 'b', packedName: 'x', shape: [2, 4, 6] }
  const text = (isPackedOnHub: boolean) => inputRules['experts-differ'].text({ ...issue, isPackedOnHub })
  expect(text(true)).toContain('b has packed ones (x, [2, 4, 6]); released checkpoints of f have packed ones')
  expect(text(false)).toContain('only packed ones of [experts, 2 · inner, hidden]')
})

test('a dtype that a format lacks is told with what is near and where it is', () => {
  const issue = { found: 'q4', format: 'safetensors', expected: ['float16', 'float32'] }
  const text = inputRules['out-dtype'].text
  expect(text(issue)).toMatch(/; safetensors has float16, float32$/)
  expect(text({ ...issue, nearest: 'q4_0', elsewhere: 'gguf' })).toMatch(
    /float32 \(did you mean 'q4_0'\?\); out_format gguf has .q4.$/,
  )
})
