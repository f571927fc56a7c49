import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { mergeIn, planIn } from '../__fixtures__/merge.ts'
import { type TinyTensor, useFolder, writeModel } from '../__fixtures__/models.ts'

const folder = useFolder()
const [experts, hidden, inner] = [2, 4, 3]
/** Any number that tells expert, matrix, row and column apart. */
const element = (seed: number, expert: number, which: number, at: number) =>
  seed * 1000 + expert * 100 + which * 30 + at
const values = (seed: number, expert: number, which: number) =>
  Array.from({ length: hidden * inner }, (_, at) => element(seed, expert, which, at))

interface Names {
  readonly type: string
  readonly part: string
  readonly matrices: readonly [gate: string, up: string, down: string]
}
const mixtral: Names = { type: 'mixtral', part: 'block_sparse_moe', matrices: ['w1', 'w3', 'w2'] }
const qwen: Names = { type: 'qwen3_moe', part: 'mlp', matrices: ['gate_proj', 'up_proj', 'down_proj'] }

const tensor = (shape: readonly number[], numbers: readonly number[]): TinyTensor => ({
  shape,
  value: (at) => numbers[at]!,
})
const inLayers = (make: (path: string) => Record<string, TinyTensor>) =>
  Object.assign(
    { 'model.embed_tokens.weight': { shape: [6, hidden] } },
    ...[0, 1].map((n) => make(`model.layers.${n}`)),
  )
const separate = (seed: number, { part, matrices }: Names) =>
  inLayers((path) => ({
    [`${path}.${part}.gate.weight`]: tensor([experts, hidden], values(seed, 9, 0)),
    ...Object.fromEntries(
      [0, 1].flatMap((expert) =>
        matrices.map((name, which) => [
          `${path}.${part}.experts.${expert}.${name}.weight`,
          tensor(which === 2 ? [hidden, inner] : [inner, hidden], values(seed, expert, which)),
        ]),
      ),
    ),
  }))
const packed = (seed: number) =>
  inLayers((path) => ({
    [`${path}.mlp.gate.weight`]: tensor([experts, hidden], values(seed, 9, 0)),
    [`${path}.mlp.experts.gate_up_proj`]: tensor(
      [experts, 2 * inner, hidden],
      [0, 1].flatMap((expert) => [0, 1].flatMap((which) => values(seed, expert, which))),
    ),
    [`${path}.mlp.experts.down_proj`]: tensor(
      [experts, hidden, inner],
      [0, 1].flatMap((expert) => values(seed, expert, 2)),
    ),
  }))
const write = (name: string, { type }: Names, tensors: Record<string, TinyTensor>) =>
  writeModel(join(folder.path, name), { config: { model_type: type, num_hidden_layers: 2 }, tensors })
const linear = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]'

describe.each([mixtral, qwen])('packed experts of $type', (names) => {
  test.each([
    ['separate', 'packed'],
    ['packed', 'separate'],
    ['packed', 'packed'],
  ])('%s and %s merge into one tensor per expert', async (...forms) => {
    for (const [index, form] of forms.entries())
      await write('ab'[index]!, names, form === 'packed' ? packed(index + 1) : separate(index + 1, names))
    const { tensors, plan } = await mergeIn(folder.path, linear)
    expect(Object.keys(tensors).toSorted()).toEqual(Object.keys(separate(0, names)).toSorted())
    for (const expert of [0, 1])
      names.matrices.forEach((name, which) =>
        expect(tensors[`model.layers.1.${names.part}.experts.${expert}.${name}.weight`]!.values).toEqual(
          values(1.5, expert, which),
        ),
      )
    expect(plan.notes.filter((note) => note.includes('packed experts'))).toHaveLength(
      forms.filter((form) => form === 'packed').length,
    )
  })
})

test('experts in another form stay as they are', async () => {
  const transposed = inLayers((path) => ({
    [`${path}.mlp.experts.gate_up_proj`]: { shape: [2, 4, 6] },
    [`${path}.mlp.experts.down_proj`]: { shape: [2, 3, 4] },
    [`${path}.mlp.gate.weight`]: { shape: [2, 4] },
  }))
  for (const name of ['a', 'b']) await write(name, qwen, transposed)
  const plan = await planIn(folder.path, linear)
  expect(plan.tensors.map(({ name }) => name).toSorted()).toEqual(Object.keys(transposed).toSorted())
})
