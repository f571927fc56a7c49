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
        operation: { kind: 'copy', input: { input: 0 } },
      },
    ],
  } as unknown as MergePlan
  const text = formatPlan(plan, { full: true })
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/)
  expect(text).toContain('input 0: a\\u001b]0;x\\u0007\n')
  expect(text).toContain('w\\u000a2 tensors, nothing was written\\u001b[2J  U8 [8]')
})
