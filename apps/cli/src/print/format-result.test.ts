import { expect, it } from 'vitest'
import { formatResult, type MergeDone } from './format-result.ts'

it('tells of one tensor, and of several', () => {
  const plan = { files: [{}], inputs: [] } as unknown as MergeDone['plan']
  const line = (tensorCount: number) =>
    formatResult({ out: 'out', plan, seconds: 1, result: { tensorCount, writtenBytes: 640 } as MergeDone['result'] })
  expect(line(1)).toMatch(/^out: 1 tensor, 640 bytes in 1 file, /)
  expect(line(2)).toMatch(/^out: 2 tensors, /)
})
