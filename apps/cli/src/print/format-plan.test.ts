import type { MergePlan } from '@mk/merge'
import { expect, it } from 'vitest'
import { formatPlan } from './format-plan.ts'

it('shows what a terminal would act on escaped, so that a name forges no line', () => {
  const plan = {
    method: 'passthrough',
    seed: 0,
    inputs: [{ label: 'a\u001b]0;x\u0007' }],
    files: [{ name: 'model.safetensors', fileBytes: 8 }],
    documents: [],
    copies: [{ name: 'x\r.json' }],
    tensors: [
      {
        name: 'w\n2 tensors, nothing was written\u001b[2J',
        dtype: 'U8',
        shape: [8],
        operation: { kind: 'copy', input: { input: 0, source: { kind: 'file' } } },
      },
    ],
  } as unknown as MergePlan
  const text = formatPlan(plan, { full: true })
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  expect(text).toContain('input 0: a\\u001b]0;x\\u0007\n')
  expect(text).toContain('w\\u000a2 tensors, nothing was written\\u001b[2J  U8 [8]')
})

it('names the methods of a plan that has several, each with its tensors and what its parameters are everywhere', () => {
  const tensor = (name: string, operation: object) => ({ name, dtype: 'F32', shape: [2], operation })
  const models = [{ input: 0, name: 'a' }]
  const plan = {
    method: 'linear',
    seed: 0,
    inputs: [{ label: 'a' }],
    files: [{ name: 'model.safetensors', fileBytes: 8 }],
    documents: [],
    copies: [],
    tensors: [
      tensor('layers.0.mlp.up', { kind: 'merge', models, parameters: { weight: [1], normalize: true } }),
      tensor('layers.1.mlp.up', { kind: 'merge', models, parameters: { weight: [2], normalize: true } }),
      tensor('layers.0.attn.q', { kind: 'merge', method: 'slerp', models, parameters: { t: 0.5 } }),
      tensor('layers.1.attn.q', { kind: 'merge', method: 'slerp', models, parameters: { t: 0.5 } }),
      tensor('layers.1.inv_freq', { kind: 'copy', input: { input: 0, name: 'a', source: { kind: 'file' } } }),
    ],
  } as unknown as MergePlan
  const text = formatPlan(plan)
  expect(formatPlan({ ...plan, tensors: [plan.tensors[0]!], stages: [{ ...plan, name: 'inner' }] })).toContain(
    'method linear: 1 tensor',
  )
  expect(text).toContain('methods linear (2), slerp (2): 5 tensors')
  expect(text).toContain('linear everywhere: normalize true\nslerp everywhere: t 0.5\n')
  expect(text).toMatch(/^0 to 1 +MLP +2 +16 bytes +linear +0 +weight \[1 .* 2\]$/m)
  expect(text).toMatch(/^0 to 1 +attention +2 +16 bytes +slerp +0 *$/m)
  expect(text).toMatch(/^1 +other +1 +8 bytes +copy of 0 *$/m)
})

it('says what a merge will read, write and need', () => {
  const plan = { method: 'linear', inputs: [], tensors: [], files: [], documents: [], copies: [], seed: 0 }
  const cost = { tensors: [], readBytes: 2e9, passedBytes: 6e9, passes: 3, writtenBytes: 1e9, memoryBytes: 15e7 }
  const text = formatPlan(plan as unknown as MergePlan, { cost })
  expect(text).toContain(
    'to do: read 2.00 GB (6.00 GB with up to 3 passes over a tensor), write 1.00 GB, in about 150 MB',
  )
})
