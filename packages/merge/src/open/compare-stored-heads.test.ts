import { expect, test } from 'vitest'
import { planIn } from '../__fixtures__/merge.ts'
import { type TinyTensor, useFolder, writeLlamas } from '../__fixtures__/models.ts'

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
