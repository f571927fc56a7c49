import { describe, expect, it } from 'vitest'
import { noise } from '../__fixtures__/arrays.ts'
import { mergeArrays } from '../merge-arrays.ts'
import { passthrough } from './passthrough.ts'

const model = noise(100, 1)

describe('passthrough', () => {
  it('gives back its input bit by bit', async () => {
    const special = Float32Array.of(-0, NaN, Infinity, 1e-45)
    expect(await mergeArrays('passthrough', { models: [special] })).toEqual(special)
  })

  it('hands back the input itself, so that a runner may copy bytes', () => {
    const x = { op: 'input', slot: 0 } as const
    expect(passthrough.merge({ base: undefined, models: [x] }, { scale: [1] }, {} as never)).toBe(x)
  })

  it('scales', async () => {
    expect(await mergeArrays('passthrough', { models: [model], parameters: { scale: 0.5 } })).toEqual(
      model.map((x) => x / 2),
    )
  })

  it('takes one model only', async () => {
    await expect(mergeArrays('passthrough', { models: [model, model] })).rejects.toMatchObject({
      issue: { code: 'model-count', found: 2, min: 1, max: 1 },
    })
  })
})
