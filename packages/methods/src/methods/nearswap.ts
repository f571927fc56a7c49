import { abs, add, div, maximum, minimum, mul, sub } from '@mk/tensor'
import * as z from 'zod/mini'
import { defineMethod } from '../declare/define-method.ts'

/**
 * Computes w·other + (1−w)·base with w = min(t / max(|base − other|, 10⁻⁶), 1), at least 0: the nearer two elements, the more
 * of the other.
 */
export const nearswap = defineMethod({
  name: 'nearswap',
  summary: 'The other model where it is near the base, the base where it is far.',
  reference: {
    title: 'QuartetAnemoi (alchemonaut 2024)',
    url: 'https://huggingface.co/alchemonaut/QuartetAnemoi-70B-t0.0001',
  },
  base: 'required',
  models: { min: 1, max: 1 },
  parameters: {
    perModel: {},
    methodWide: { t: z.number().check(z.describe('Difference up to which the other model is taken as it is.')) },
  },
  examples: [{ t: 0.3 }],
  merge({ base, models: [other] }, { t }) {
    const distance = maximum(abs(sub(base!, other!)), 1e-6)
    const w = maximum(minimum(div(t, distance), 1), 0)
    return add(mul(w, other!), mul(sub(1, w), base!))
  },
})
