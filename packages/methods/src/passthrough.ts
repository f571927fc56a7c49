import { mul } from '@mk/tensor'
import { z } from 'zod'
import { defineMethod } from './define-method.ts'

/** The one input as it is, times `scale` where there is one. */
export const passthrough = defineMethod({
  name: 'passthrough',
  summary: 'The tensors of one model as they are, optionally scaled; with layer slices it stacks models.',
  base: 'none',
  models: { min: 1, max: 1 },
  parameters: {
    perModel: { scale: z.number().optional().describe('Factor on the tensor; without it the tensor is copied.') },
    methodWide: {},
  },
  merge: ({ models: [x] }, { scale: [scale] }) => (scale === undefined ? x! : mul(x!, scale)),
})
