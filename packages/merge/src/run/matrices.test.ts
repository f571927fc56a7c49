import { join } from 'node:path'
import { add, builtinMethods, crossProduct, defineMethod, mergeArrays, sub, times } from '@mk/methods'
import { describe, expect, test } from 'vitest'
import { mergeIn, planIn, referenceRuntime, wasmRuntime } from '../__fixtures__/merge.ts'
import { checkMatrixSize } from '../plan/check-matrices.ts'
import { type TinyTensor, useFolder, writeModel } from '../__fixtures__/models.ts'

const folder = useFolder()

const shapes: Readonly<Record<string, readonly number[]>> = {
  'layers.0.tall.weight': [40, 12],
  'layers.0.wide.weight': [9, 60],
  'layers.0.experts.gate_up_proj': [3, 8, 5],
  'layers.0.experts.gate_up_proj_bias': [3, 8],
  'layers.0.conv.weight': [4, 3, 2],
  'layers.0.norm.weight': [12],
  'layers.0.row.weight': [1, 12],
  'layers.0.zero.weight': [6, 4],
  'layers.0.empty.weight': [0, 4],
}

type Named = 'base' | 'a' | 'b'

const valuesOf = (name: string, model: Named): Float32Array => {
  const base = (index: number) => Math.sin(index * 1.7 + name.length)
  const change = { base: 0, a: 1, b: 2 }[model] * (name.includes('zero') ? 0 : 0.1)
  const count = shapes[name]!.reduce((product, size) => product * size, 1)
  return Float32Array.from({ length: count }, (_, i) => base(i) + change * Math.cos((i + 1) ** 1.5 * (change + 0.3)))
}

const writeAll = (change: (name: string, model: Named) => TinyTensor | undefined = () => undefined) =>
  Promise.all(
    (['base', 'a', 'b'] satisfies Named[]).map((model) =>
      writeModel(join(folder.path, model), {
        config: { model_type: 'made' },
        tensors: Object.fromEntries(
          Object.entries(shapes).map(([name, shape]) => {
            const values = valuesOf(name, model)
            return [name, change(name, model) ?? { shape, value: (index: number) => values[index]! }]
          }),
        ),
      }),
    ),
  )

const recipe = (method: string, more = '') =>
  `merge_method: ${method}\nbase_model: base\nmodels: [{model: a}, {model: b}]${more}`

describe.each(['iso_c', 'tsv_m', 'ace'] as const)('%s', (method) => {
  test('merges matrices, and those of packed experts one by one, as in memory', async () => {
    await writeAll()
    const { tensors } = await mergeIn(folder.path, recipe(method), { runtime: wasmRuntime })
    for (const [name, shape] of Object.entries(shapes)) {
      const count = name.endsWith('gate_up_proj') ? shape[0]! : 1
      const size = valuesOf(name, 'base').length / count
      const parts = Array.from({ length: count }, async (_, part) => {
        const partOf = (model: Named) => valuesOf(name, model).subarray(part * size, (part + 1) * size)
        return mergeArrays(method, {
          base: partOf('base'),
          models: [partOf('a'), partOf('b')],
          shape: count > 1 ? shape.slice(1) : shape,
          tensorName: name,
        })
      })
      const expected = (await Promise.all(parts)).flatMap((values) => [...values])
      expect([name, ...tensors[name]!.values]).toEqual([name, ...expected])
    }
  })

  test('writes the same on the reference runtime', async () => {
    await writeAll()
    const [wasm, reference] = [
      await mergeIn(folder.path, recipe(method), { runtime: wasmRuntime }),
      await mergeIn(folder.path, recipe(method), { runtime: referenceRuntime, out: join(folder.path, 'other') }),
    ]
    expect(wasm.tensors).toEqual(reference.tensors)
  })

  test('says which model is not finite, and in which expert', async () => {
    await writeAll((name, model) =>
      name.endsWith('gate_up_proj') && model === 'b'
        ? { shape: shapes[name]!, value: (index) => (index === 50 ? NaN : index) }
        : undefined,
    )
    await expect(mergeIn(folder.path, recipe(method))).rejects.toMatchObject({
      code: 'not-finite',
      issue: { model: 1, tensor: 'layers.0.experts.gate_up_proj (matrix 2 of 3)' },
    })
  })

  test('rounds to the dtype of the output, and counts what is too large for it', async () => {
    await writeAll()
    const { result, tensors } = await mergeIn(
      folder.path,
      `${recipe(method)}\nparameters: {lambda: 1e+6}\ndtype: float16`,
    )
    expect(result.nonFinite.map(({ tensor }) => tensor)).toContain('layers.0.wide.weight')
    expect(tensors['layers.0.zero.weight']!.values.every(Number.isFinite)).toBe(true)
  })
})

test.each([
  ['gpt2', 'h.0.mlp.c_fc.weight', [12, 20]],
  ['gpt2', 'h.0.attn.c_proj.weight', [9, 9]],
  ['gpt_oss', 'model.layers.0.mlp.experts.down_proj', [2, 5, 8]],
])('ace takes the inputs of layers that %s stores as inputs × outputs: %s', async (family, name, shape) => {
  const count = shape.length === 3 ? shape[0]! : 1
  const size = shape.reduce((product, length) => product * length) / count
  const valueOf = (model: number) => (index: number) =>
    Math.sin(index * 1.7) + (model === 0 ? 0 : 0.1) * Math.cos((index + 1) ** 1.5 * (model + 0.3))
  const names = ['base', 'a', 'b']
  for (const [model, label] of names.entries())
    await writeModel(join(folder.path, label), {
      config: { model_type: family },
      tensors: { [name]: { shape, value: valueOf(model) } },
    })
  const { tensors } = await mergeIn(folder.path, recipe('ace'), { runtime: wasmRuntime })
  for (let part = 0; part < count; part++) {
    const partOf = (model: number) => Float32Array.from({ length: size }, (_, i) => valueOf(model)(part * size + i))
    const merge = (inputSide: 'rows' | 'columns') =>
      mergeArrays('ace', {
        base: partOf(0),
        models: [partOf(1), partOf(2)],
        shape: shape.slice(-2),
        inputSide,
      })
    const found = tensors[name]!.values.slice(part * size, (part + 1) * size)
    expect(found).toEqual([...(await merge('rows'))])
    expect(found).not.toEqual([...(await merge('columns'))])
  }
})

test('a matrix that is too large is refused before anything is written', () => {
  const check = (method: string, shape: readonly number[]) => () =>
    checkMatrixSize(builtinMethods.get(method)!, { name: 'w', shape })
  expect(check('iso_c', [20_000, 17_000])).toThrow(
    'w is [20000, 17000], of which iso_c would hold square matrices of 17000 × 17000; expected at most 16384',
  )
  expect(check('ace', [4096, 28_672])).toThrow('28672 × 28672')
  for (const shape of [[128_256, 4096], [4096, 28_672], [1e9]]) expect(check('iso_c', shape)).not.toThrow()
  expect(check('linear', [20_000, 17_000])).not.toThrow()
})

test('a merge that another one reads can’t work on whole matrices', async () => {
  await writeAll()
  const last = 'merge_method: linear\nmodels: [{model: first}, {model: a}]\nparameters: {weight: 1}'
  await expect(planIn(folder.path, `name: first\n${recipe('tsv_m')}\n---\n${last}`)).rejects.toMatchObject({
    code: 'stage-of-matrices',
    issue: { name: 'first', method: 'tsv_m' },
  })
})

const leadingDirection = defineMethod({
  name: 'leading_direction',
  summary: 'The leading direction of a model’s change.',
  base: 'required',
  models: { min: 1 },
  parameters: { perModel: {}, methodWide: {} },
  async merge({ base, models }, _, { products, linalg, shape }) {
    if (shape.length !== 2) return base!
    const delta = sub(models[0]!, base!)
    const { gram } = await products({ gram: crossProduct(delta) })
    const { vectors } = await linalg.symmetricEigen(gram)
    const first = { rows: gram.rows, columns: 1, values: vectors.values.filter((__, i) => i % gram.rows === 0) }
    return add(base!, times(delta, await linalg.multiply(first, first, { rightTransposed: true })))
  },
})

test('a method of one’s own asks for products and decompositions', async () => {
  await writeAll()
  const methods = new Map([...builtinMethods, [leadingDirection.name, leadingDirection]])
  const text = recipe(leadingDirection.name).replace(', {model: b}', '')
  const { tensors } = await mergeIn(folder.path, text, { prepare: { methods }, runtime: wasmRuntime })
  const [row, norm] = ['layers.0.row.weight', 'layers.0.norm.weight'].map((name) => tensors[name]!.values)
  const model = valuesOf('layers.0.row.weight', 'a')
  expect(Math.max(...row!.map((value, i) => Math.abs(value - model[i]!)))).toBeLessThan(1e-6)
  expect([...norm!]).toEqual([...valuesOf('layers.0.norm.weight', 'base')])
})
