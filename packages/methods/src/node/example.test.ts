import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { expectClose, noise, norm } from '../__fixtures__/arrays.ts'
import { describeMethods, mergeArrays } from '../index.ts'
import { loadMethodModule } from './load-method-module.ts'

const examples = fileURLToPath(new URL('../../../../examples/methods', import.meta.url))
const load = () => loadMethodModule('./length-preserving-average.mjs', examples)
const models = [noise(500, 1), noise(500, 2, 3)]

describe('the example of a method of one’s own', () => {
  it('keeps the average length', async () => {
    const merged = await mergeArrays(await load(), { models, parameters: { weight: [1, 3] } })
    expect(norm(merged)).toBeCloseTo((norm(models[0]!) + 3 * norm(models[1]!)) / 4, 3)
  })

  it('is the plain average with strength 0', async () => {
    const plain = await mergeArrays('linear', { models, parameters: { weight: [1, 3] } })
    expectClose(await mergeArrays(await load(), { models, parameters: { weight: [1, 3], strength: 0 } }), plain)
  })

  it('gives back equal models, and zeros', async () => {
    expectClose(await mergeArrays(await load(), { models: [models[0]!, models[0]!] }), models[0]!)
    expect(await mergeArrays(await load(), { models: [new Float32Array(3), new Float32Array(3)] })).toEqual(
      new Float32Array(3),
    )
  })

  it('checks its parameters, and describes itself', async () => {
    const method = await load()
    await expect(mergeArrays(method, { models, parameters: { weight: -1 } })).rejects.toMatchObject({
      code: 'invalid-parameter',
    })
    expect(describeMethods([method])[0]).toMatchObject({
      name: 'length_preserving_average',
      parameters: [
        { name: 'weight', default: 1 },
        { name: 'strength', default: 1 },
      ],
    })
  })

  it('stands in the guide as it is', async () => {
    const guide = await readFile(
      fileURLToPath(new URL('../../../../docs/methods-of-your-own.md', import.meta.url)),
      'utf8',
    )
    const source = await readFile(`${examples}/length-preserving-average.mjs`, 'utf8')
    expect(guide).toContain(source.replace('// @ts-check\n', ''))
  })
})
