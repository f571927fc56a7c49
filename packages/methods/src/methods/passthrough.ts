import { mul } from '@mk/tensor'
import * as z from 'zod/mini'
import { defineMethod } from '../declare/define-method.ts'

/** Gives the one input as it is, times `scale`. */
export const passthrough = defineMethod({
  name: 'passthrough',
  summary: 'The tensors of one model as they are, optionally scaled; with layer slices it stacks models.',
  base: 'none',
  models: { min: 1, max: 1 },
  parameters: {
    perModel: { scale: z._default(z.number(), 1).check(z.describe('Factor on the tensor; 1 copies it.')) },
    methodWide: {},
  },
  examples: [{}, { scale: 0.5 }],
  merge: ({ models: [x] }, { scale: [scale = 1] }) => (scale === 1 ? x! : mul(x!, scale)),
})
