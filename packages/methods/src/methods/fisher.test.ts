import { describe, expect, it } from 'vitest'
import { expectClose, noise, tuned } from '../__fixtures__/arrays.ts'
import { cases } from '../__fixtures__/elementwise.ts'
import { mergeArrays } from '../merge-arrays.ts'

const { models } = tuned(600, 3)
const importance = models.map((_, i) => noise(600, i + 40).map(Math.abs))
const changed = (values: Float32Array, at: number, value: number) => values.map((each, i) => (i === at ? value : each))

describe('fisher', () => {
  it.each([
    ['fisher', {}],
    ['fisherWeighted', { weight: [1, 0.5, 2] }],
  ])('is what numpy makes of the formula of the paper: %s', async (name, parameters) => {
    for (const { models, importance, expected } of cases(name))
      expectClose(await mergeArrays('fisher', { models, parameters: { importance, ...parameters } }), expected)
  })

  it('of one model is that model, and of equal ones theirs, as far as float32 goes', async () => {
    const [model] = models as [Float32Array]
    expect(await mergeArrays('fisher', { models: [model], parameters: { importance: importance[0]! } })).toEqual(model)
    expectClose(await mergeArrays('fisher', { models: [model, model, model], parameters: { importance } }), model, 3e-7)
  })

  it('takes of each model what no other finds important', async () => {
    const mask = models[0]!.map((_, i) => i % 2)
    const merged = await mergeArrays('fisher', {
      models: models.slice(0, 2),
      parameters: { importance: [mask, mask.map((value) => 1 - value)] },
    })
    expect(merged).toEqual(models[0]!.map((value, i) => (i % 2 === 1 ? value : models[1]![i]!)))
  })

  it('of importances that are equal everywhere is the average by the weights', async () => {
    const weight = [1, 2, 3]
    const same = models[0]!.map(() => 0.25)
    expectClose(
      await mergeArrays('fisher', { models, parameters: { weight, importance: same } }),
      await mergeArrays('linear', { models, parameters: { weight } }),
    )
  })

  it('does not depend on the order of the models, nor on the unit of the importances', async () => {
    const merged = await mergeArrays('fisher', { models, parameters: { importance } })
    const tiny = importance.map((each) => each.map((value) => value * 2 ** -100))
    expectClose(
      await mergeArrays('fisher', {
        models: models.toReversed(),
        parameters: { importance: tiny.toReversed() },
      }),
      merged,
    )
  })

  it('is the average by the weights where no model has any importance, and says so where that is all of a tensor', async () => {
    const warnings: string[] = []
    const weight = [1, 3]
    const none = new Float32Array(600)
    const request = { models: models.slice(0, 2), tensorName: 'a.weight', warn: (text: string) => warnings.push(text) }
    const plain = await mergeArrays('linear', { ...request, parameters: { weight } })
    const partly = changed(none, 5, 1)
    const merged = await mergeArrays('fisher', { ...request, parameters: { weight, importance: [partly, none] } })
    expectClose(merged, changed(plain, 5, models[0]![5]!))
    expect(warnings).toEqual([])
    expectClose(await mergeArrays('fisher', { ...request, parameters: { weight, importance: none } }), plain)
    expect(warnings).toEqual(['a.weight: its importance is 0 in all models; it is averaged by their weights alone'])
  })

  it.each([[-1e-9], [Number.NaN], [Infinity]])('refuses an importance of %d', async (value) => {
    const wrong = [importance[0]!, changed(importance[1]!, 7, value), importance[2]!]
    const merging = mergeArrays('fisher', { models, parameters: { importance: wrong }, tensorName: 'a.weight' })
    await expect(merging).rejects.toMatchObject({
      issue: { code: 'importance-invalid', model: 1, wrong: 1, elementCount: 600 },
      message:
        'a.weight: 1 of 600 values of the importance of model 2 are negative, infinite or NaN; expected finite numbers of at least 0',
    })
  })

  it('refuses importances whose sum is too large, and weights that are all 0', async () => {
    const huge = changed(importance[0]!, 0, 3e38)
    await expect(mergeArrays('fisher', { models, parameters: { importance: huge } })).rejects.toMatchObject({
      issue: { code: 'importance-too-large' },
    })
    await expect(mergeArrays('fisher', { models, parameters: { importance, weight: 0 } })).rejects.toMatchObject({
      issue: { code: 'weights-sum-to-zero' },
    })
  })

  it('names the model whose importance is largest where their sum is too large', async () => {
    const large = importance.map((values, model) => changed(values, 0, model === 1 ? 3e38 : 2e38))
    await expect(mergeArrays('fisher', { models, parameters: { importance: large } })).rejects.toThrow('model 2')
  })

  it('refuses importances that are missing, no tensors, too few or of another length', async () => {
    await expect(mergeArrays('fisher', { models })).rejects.toMatchObject({
      issue: { code: 'missing-parameter', parameter: 'importance' },
    })
    const given = (value: unknown) =>
      mergeArrays('fisher', { models, parameters: { importance: value as Float32Array } })
    for (const value of ['importance.safetensors', 1, importance.slice(1), [importance[0], null, importance[1]]])
      await expect(given(value)).rejects.toMatchObject({
        issue: {
          code: 'invalid-parameter',
          parameter: 'importance',
          expected: 'a tensor for all models, or a list of 3, one for each model',
        },
      })
    await expect(given([importance[0], importance[1], new Float32Array(4)])).rejects.toMatchObject({
      issue: { code: 'wrong-length', input: 'importance of model 3', length: 4, expected: 600 },
    })
  })

  it('leaves NaN of a model where it is, and nowhere else', async () => {
    const broken = [changed(models[0]!, 7, Number.NaN), ...models.slice(1)]
    const merged = await mergeArrays('fisher', { models: broken, parameters: { importance } })
    expect(Array.from(merged).flatMap((value, i) => (Number.isNaN(value) ? [i] : []))).toEqual([7])
  })
})

it('asks nothing of the importance of a tensor without elements', async () => {
  const empty = new Float32Array(0)
  const parameters = { importance: [empty, empty], weight: [2, 0] }
  const warn = (text: string) => expect.fail(text)
  expect(await mergeArrays('fisher', { models: [empty, empty], parameters, warn })).toEqual(empty)
})
