import { describe, expect, test } from 'vitest'
import { planIn, prepareIn } from '../__fixtures__/merge.ts'
import { type TinyTensor, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { compareStoredHeads, headSources, isAwaited } from './compare-stored-heads.ts'
import type { MergeInputs } from './merge-inputs.ts'

const folder = useFolder()

/** A tied model that carries its head, and whether the output is tied to it. */
async function isTiedWith(rows: number, head: Partial<TinyTensor>): Promise<boolean> {
  const shape = [rows, 4]
  const value = (index: number) => index % 100
  const extra = { 'model.embed_tokens.weight': { shape, value }, 'lm_head.weight': { shape, value, ...head } }
  await writeLlamas(folder.path, { a: { rows, tied: true, extra } })
  const { tensors } = await planIn(folder.path, 'merge_method: passthrough\nmodels: [{model: a}]')
  return tensors.every(({ name }) => name !== 'lm_head.weight')
}
const but = (place: number) => (index: number) => (index === place ? -1 : index % 100)

test('a head that is stored twice is not written', async () => {
  expect(await isTiedWith(6, {})).toBe(true)
})

test.each([0, 1, 22, 23])('one that differs from the embedding in element %s is written', async (place) => {
  expect(await isTiedWith(6, { value: but(place) })).toBe(false)
})

test('also in the last of many elements', async () => {
  const rows = 2 ** 17 + 1
  expect(await isTiedWith(rows, {})).toBe(true)
  expect(await isTiedWith(rows, { value: but(4 * rows - 1) })).toBe(false)
})

test.each<[string, Partial<TinyTensor>]>([
  ['dtype', { dtype: 'BF16' }],
  ['shape', { shape: [7, 4] }],
])('one of another %s is written', async (_, head) => {
  expect(await isTiedWith(6, head)).toBe(false)
})

const embedding = 'model.embed_tokens.weight'
const head = 'lm_head.weight'
const ones = { shape: [6, 4], value: () => 1 }

/** Inputs of which some have weights that are yet to be downloaded. */
const awaiting = (inputs: MergeInputs, ...awaited: readonly number[]): MergeInputs => ({
  ...inputs,
  checkpoints: inputs.checkpoints.map((checkpoint, input) => ({
    ...checkpoint,
    downloadBytes: awaited.includes(input) ? 1 : 0,
  })),
})

describe('weights that are yet to come', () => {
  test('are those of a model itself, or of what it is a merge of', () => {
    const input = (downloadBytes?: number) => ({ downloadBytes })
    const of = (checkpoints: readonly object[], stages?: readonly unknown[]) =>
      ({ checkpoints, stages }) as unknown as MergeInputs
    expect([0, 1, 2].map((index) => isAwaited(of([input(), input(0), input(1)]), index))).toEqual([false, false, true])
    const merge = (...inner: readonly object[]) => ({ inputs: of(inner) })
    const deep = { inputs: of([input()], [merge(input(0), input(3))]) }
    const merges = of([input(), input(), input()], [merge(input(), input(0)), merge(input(0), input(2)), deep])
    expect([0, 1, 2].map((index) => isAwaited(merges, index))).toEqual([false, true, true])
  })

  test('leave it open whether the head of a tied model is its embedding, and are not read', async () => {
    const extra = { [embedding]: ones, [head]: ones }
    await writeLlamas(folder.path, { a: { tied: true, extra }, b: { tied: true } })
    const { inputs, config } = await prepareIn(
      folder.path,
      'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]',
    )
    expect(compareStoredHeads(inputs, config)).toEqual({ different: new Set(), unknown: new Set() })
    expect(compareStoredHeads(awaiting(inputs, 0), config)).toEqual({ different: new Set(), unknown: new Set([0]) })
    expect(compareStoredHeads(awaiting(inputs, 1), config)).toEqual({ different: new Set(), unknown: new Set() })
    const names = headSources(inputs).map(({ shape }) => shape)
    expect(names).toEqual([
      [6, 4],
      [6, 4],
      [6, 4],
    ])
    expect(headSources(inputs)[0]).toBe(inputs.checkpoints[0]!.tensors.get(head))
    expect(headSources(inputs)[1]).toBe(inputs.checkpoints[0]!.tensors.get(embedding))
    expect(headSources(inputs)[2]).toBe(inputs.checkpoints[1]!.tensors.get(embedding))
  })

  test('leave it open whether embeddings of first and last layers are equal', async () => {
    const tied = (value: number, dtype: 'F32' | 'BF16' = 'F32') => ({
      tied: true,
      extra: { [embedding]: { shape: [6, 4], value: () => value, dtype } },
    })
    await writeLlamas(folder.path, { a: tied(1), b: tied(1), c: tied(2), d: tied(1, 'BF16') })
    const compare = async (first: string, last: string, ...awaited: readonly number[]) => {
      const slices = [first, last].map(
        (model, layer) => `{sources: [{model: ${model}, layer_range: [${layer}, ${layer + 1}]}]}`,
      )
      const { inputs, config } = await prepareIn(
        folder.path,
        `merge_method: passthrough\nslices: [${slices.join(', ')}]`,
      )
      const { sameEmbeddings, isPending } = compareStoredHeads(awaiting(inputs, ...awaited), config)
      return { same: [...(sameEmbeddings ?? [])], isPending }
    }
    expect(await compare('a', 'b')).toEqual({ same: ['0 1'], isPending: undefined })
    expect(await compare('a', 'b', 0)).toEqual({ same: [], isPending: true })
    expect(await compare('a', 'b', 1)).toEqual({ same: [], isPending: true })
    expect(await compare('a', 'a', 0)).toEqual({ same: [], isPending: undefined })
    expect(await compare('a', 'c')).toEqual({ same: [], isPending: undefined })
    expect(await compare('a', 'd', 1)).toEqual({ same: [], isPending: undefined })
  })
})
