import { add, defineMethod, div, type Expression, log, lt, minimum, mul, neg, select, sqrt, sub, z } from '@mk/methods'

/**
 * Computes (x + noise · n) · scale for a tensor of an expert, n drawn from the normal distribution, and the rows of a router that are
 * drawn: n itself, or from the uniform distribution on ± `width`. What is drawn follows from seed, tensor and place.
 */
export const expertMethod = defineMethod({
  name: 'mixture_of_experts',
  summary: 'The base model, with the feed-forward networks of several models as experts that a router chooses from.',
  reference: { title: 'Sparse Upcycling (Komatsuzaki et al. 2022)', url: 'https://arxiv.org/abs/2212.05055' },
  base: 'none',
  models: { min: 1, max: 1 },
  parameters: {
    perModel: {},
    methodWide: {
      noise_scale: z.number().default(0),
      residual_scale: z.number().default(1),
      drawn: z.enum(['no', 'normal', 'uniform']).default('no'),
      width: z.number().default(1),
    },
  },
  draws: ({ noise_scale, drawn }) => Number(noise_scale ?? 0) !== 0 || (drawn ?? 'no') !== 'no',
  merge({ models: [x] }, { noise_scale: noise, residual_scale: scale, drawn, width }, { uniform }) {
    if (drawn === 'uniform') return mul(sub(mul(uniform(0), 2), 1), width)
    if (drawn === 'normal') return normalQuantile(uniform(0))
    const noisy = noise === 0 ? x! : add(x!, mul(normalQuantile(uniform(0)), noise))
    return scale === 1 ? noisy : mul(noisy, scale)
  },
})

/**
 * Computes the value that a normally distributed number is below with probability p + 2⁻²⁵: algorithm AS 241, PPND7 (Wichura 1988), with
 * seven digits.
 * @param p in [0, 1), with 24 bits, as `uniform` gives it
 */
function normalQuantile(p: Expression): Expression {
  const q = sub(p, 0.5 - 2 ** -25)
  const r = sub(0.180625, mul(q, q))
  const middle = mul(
    q,
    div(
      polynomial(r, [3.3871327179, 50.434271938, 159.29113202, 59.10937472]),
      polynomial(r, [1, 17.895169469, 78.757757664, 67.1875636]),
    ),
  )
  // Half of the numbers are exact to the last bit so, as those near 1 would not be.
  const tail = add(minimum(p, sub(1 - 2 ** -24, p)), 2 ** -25)
  const s = sub(sqrt(neg(log(tail))), 1.6)
  const size = div(
    polynomial(s, [1.4234372777, 2.75681539, 1.3067284816, 0.17023821103]),
    polynomial(s, [1, 0.7370016425, 0.12021132975]),
  )
  const outer = select(lt(q, 0), neg(size), size)
  return select(lt(mul(q, q), 0.425 ** 2), middle, outer)
}

/** Σ cᵢ·xⁱ by Horner's rule. */
const polynomial = (x: Expression, coefficients: readonly number[]): Expression =>
  coefficients
    .slice(0, -2)
    .reduceRight<Expression>((sum, c) => add(mul(sum, x), c), add(mul(x, coefficients.at(-1)!), coefficients.at(-2)!))
