import { input } from '@mk/tensor'
import { describe, it } from 'vitest'
import { combine, dot, expectClose, noise, norm } from '../__fixtures__/arrays.ts'
import { defineMethod } from '../declare/define-method.ts'
import { mergeArrays } from '../merge-arrays.ts'
import { embeddingSlerp } from './embedding-slerp.ts'

function naive(a: Float32Array, b: Float32Array, t: number): number[] {
  const θ = Math.acos(dot(a, b) / norm(a) / norm(b))
  return combine([a, b], [Math.sin((1 - t) * θ) / Math.sin(θ), Math.sin(t * θ) / Math.sin(θ)])
}

describe('embeddingSlerp', () => {
  it('takes the angle from the whole matrices and single rows as they are', async () => {
    const columns = 5
    const has = { base: Float32Array.of(1, 1, 0, 1, 0), other: Float32Array.of(1, 0, 1, 1, 0) }
    const [a, b] = [noise(25, 1), noise(25, 2)]
    const method = defineMethod({
      name: 'embeddings',
      summary: '',
      base: 'none',
      models: { min: 2, max: 2 },
      parameters: { perModel: {}, methodWide: {} },
      merge: (_inputs, _parameters, context) =>
        embeddingSlerp(
          { tensor: input(0), presence: has.base },
          { tensor: input(1), presence: has.other },
          0.4,
          context,
        ),
    })
    const merged = await mergeArrays(method, { shape: [5, columns], models: [a, b] })

    const present = (x: Float32Array, rows: Float32Array): Float32Array =>
      x.map((v, i) => v * rows[Math.floor(i / columns)]!)
    const both = naive(present(a, has.base), present(b, has.other), 0.4)
    const row = (x: ArrayLike<number>, r: number): number[] => Array.from(x).slice(r * columns, (r + 1) * columns)
    expectClose(merged, [...row(both, 0), ...row(a, 1), ...row(b, 2), ...row(both, 3), ...row(new Float32Array(25), 4)])
  })
})
