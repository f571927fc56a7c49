import { createArraySession, input } from '@mk/tensor'
import { describe, expect, it } from 'vitest'
import { noise } from './__fixtures__/arrays.ts'
import { embeddingSlerp } from './embeddings/embedding-slerp.ts'
import { createMethodContext } from './method-context.ts'
import { findMethod } from './check/find-method.ts'
import { mergeArrays } from './merge-arrays.ts'

/** Where 1 − |cos| is 10⁻⁶, the coefficients of the great circle are 1 / sin θ ≈ 707. */
const mostFactor = 710

const largest = (arrays: readonly ArrayLike<number>[]): number =>
  arrays.reduce((most, x) => Math.max(most, ...Array.from(x, Math.abs)), 0)

const tiny = (seed: number): Float32Array => noise(60, seed, 1e-7)
const pairs: readonly [string, (seed: number) => readonly [Float32Array, Float32Array], number][] = [
  ['any vectors', (seed) => [noise(60, seed), noise(60, seed + 100)], mostFactor],
  ['vectors of very different lengths', (seed) => [noise(60, seed, 0.001), noise(60, seed + 100, 50)], mostFactor],
  ['antiparallel vectors', (seed) => [noise(60, seed), noise(60, seed).map((v) => -0.3 * v)], 1.001],
  ['parallel vectors', (seed) => [noise(60, seed), noise(60, seed).map((v) => 0.3 * v)], 1.001],
  [
    'nearly antiparallel vectors',
    (seed) => [noise(60, seed), noise(60, seed).map((v, i) => tiny(seed + 100)[i]! - v)],
    1.001,
  ],
  [
    'antiparallel rows and columns with zeros',
    (seed) => [noise(60, seed), noise(60, seed).map((v) => -v)].map((x) => x.map((v, i) => (i % 3 ? 0 : v))) as never,
    1.001,
  ],
]
const shapes: readonly (readonly number[])[] = [[60], [60, 1], [1, 60], [30, 2], [20, 3], [2, 30], [5, 3, 4]]

const methods: readonly [string, Record<string, unknown>, 'base' | 'models'][] = [
  ['slerp', { t: 0.4 }, 'base'],
  ['nuslerp', { weight: 0.5 }, 'models'],
  ['nuslerp', { weight: 0.5, nuslerp_flatten: false }, 'models'],
  ['nuslerp', { weight: [0.9, 0.2], nuslerp_flatten: false }, 'models'],
  ['nuslerp', { weight: 0.5, nuslerp_flatten: false, nuslerp_row_wise: true }, 'models'],
  ['multislerp', { weight: 0.5 }, 'models'],
  ['karcher', {}, 'models'],
]

describe.each(methods)('%s with %j', (name, parameters, kind) => {
  it.each(pairs)('gives no more than its factor times its inputs: %s', async (_, make, factor) => {
    for (const shape of shapes) {
      for (let seed = 1; seed <= 5; seed++) {
        const [a, b] = make(seed)
        const merged = await mergeArrays(findMethod(name), {
          shape,
          models: kind === 'base' ? [b] : [a, b],
          base: kind === 'base' ? a : undefined,
          parameters,
        })
        expect(largest([merged]), `${shape.join('×')}, seed ${seed}`).toBeLessThan(factor * largest([a, b]))
      }
    }
  })
})

describe('task vectors that point away from each other', () => {
  it.each(['nuslerp', 'multislerp'])('%s does not leave the models', async (name) => {
    const base = noise(60, 1)
    const models = [0.1, -0.1].map((step) => base.map((v, i) => v + (i % 3 ? 0 : step)))
    for (const shape of shapes) {
      for (const nuslerp_row_wise of [false, true]) {
        const rows = name === 'nuslerp' ? { nuslerp_flatten: false, nuslerp_row_wise } : {}
        const merged = await mergeArrays(findMethod(name), {
          shape,
          base,
          models,
          parameters: { weight: [0.4, 0.6], ...rows },
        })
        expect(largest([merged])).toBeLessThan(1.001 * largest(models))
      }
    }
  })
})

describe('nuslerp', () => {
  it('interpolates single numbers of opposite signs linearly', async () => {
    const [a, b] = [noise(500, 1, 0.1), noise(500, 2, 0.1)]
    const merged = await mergeArrays('nuslerp', {
      shape: [500, 1],
      models: [a, b],
      parameters: { weight: [0.25, 0.75], nuslerp_flatten: false },
    })
    merged.forEach((value, i) => expect(value).toBeCloseTo(0.25 * a[i]! + 0.75 * b[i]!, 6))
  })
})

describe('embeddingSlerp', () => {
  it.each(pairs)('gives no more than its factor times its inputs: %s', async (_, make, factor) => {
    for (const [shape, rows] of [
      [[60, 1], 60],
      [[20, 3], 20],
    ] as const) {
      const [a, b] = make(3)
      const session = createArraySession({
        shape,
        inputs: [a, b].map((x) => ({ dtype: 'F32', bytes: new Uint8Array(x.buffer) })),
      })
      const context = createMethodContext(session, { tensorName: 'e', seed: 0, warn: () => {} })
      const presence = new Float32Array(rows).fill(1)
      const expression = await embeddingSlerp(
        { tensor: input(0), presence },
        { tensor: input(1), presence },
        0.4,
        context,
      )
      const bytes = await session.evaluate(expression, 'F32')
      expect(largest([new Float32Array(bytes.buffer)])).toBeLessThan(factor * largest([a, b]))
    }
  })
})
