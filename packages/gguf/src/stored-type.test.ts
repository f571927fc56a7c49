import { expect, it } from 'vitest'
import { storedGgmlType } from './stored-type.ts'
import type { GgufTensorPlan } from './tensor-plan.ts'

const tensor = (name: string, shape: readonly number[], type?: GgufTensorPlan['type']): GgufTensorPlan => ({
  name,
  shape,
  ...(type !== undefined && { type }),
  content: { kind: 'values', values: [] },
})

it.each([
  ['a matrix as asked', tensor('blk.0.attn_q.weight', [4, 64]), 'Q8_0'],
  ['a stack of matrices as asked', tensor('blk.0.ffn_up_exps.weight', [2, 4, 64]), 'Q8_0'],
  ['one dimension as F32', tensor('blk.0.attn_q.weight', [64]), 'F32'],
  ['a bias as F32', tensor('blk.0.attn_q.bias', [4, 64]), 'F32'],
  ['a norm as F32', tensor('blk.0.attn_k_norm.weight', [4, 64]), 'F32'],
  ['rows that are no whole blocks as F16', tensor('blk.0.attn_q.weight', [4, 65]), 'F16'],
  ['what has a type of its own as that', tensor('blk.0.ffn_gate_inp.weight', [4, 64], 'F32'), 'F32'],
])('stores %s', (_, plan, type) => {
  expect(storedGgmlType(plan, 'Q8_0')).toBe(type)
})

it('gives embedding and head more than four bits', () => {
  expect(storedGgmlType(tensor('output.weight', [4, 64]), 'Q4_0')).toBe('Q8_0')
  expect(storedGgmlType(tensor('token_embd.weight', [4, 65]), 'Q4_0')).toBe('F16')
  expect(storedGgmlType(tensor('blk.0.ffn_up.weight', [4, 64]), 'Q4_0')).toBe('Q4_0')
  expect(storedGgmlType(tensor('output.weight', [4, 64]), 'F16')).toBe('F16')
})
