import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn, prepareIn, wasmRuntime } from '../__fixtures__/merge.ts'
import { tinyLlama, useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'
import { finishIn, makeParts, planFileIn } from '../__fixtures__/parts.ts'
import { checkFactors } from '../parts/check-factors.ts'
import type { PlannedTensorInput } from '../plan/merge-plan.ts'
import { distance, mergeAdapter, readFile, readModel, writeAdapter } from './__fixtures__/adapters.ts'

const folder = useFolder()
const q = 'model.layers.0.self_attn.q_proj'
const at = (name: string) => join(folder.path, name)
const merge = (text: string) => mergeAdapter(folder.path, text)

test('methods whose parameters name files give adapters, but not in another space', async () => {
  await writeLlamas(folder.path, { base: { hidden: 8 } })
  await writeAdapter(at('a'), { [q]: [8, 3, 8] })
  const factorOf = (i: number) => 1 + Math.sin(i * i)
  await writeModel(at('file'), {
    tensors: Object.fromEntries(
      Object.entries(tinyLlama({ hidden: 8 }).tensors).map(([name, each]) => [name, { ...each, value: factorOf }]),
    ),
  })
  const text = (method: string, model: string, file: string) =>
    `merge_method: ${method}\nbase_model: base\nmodels: [{ model: ${model}, parameters: { ${file}: file } }]\nout_format: lora\nrank: 8`
  const [own, base] = [await readModel(at('base'), at('a')), await readModel(at('base'))]
  const name = `${q}.weight`
  const change = (i: number) => own.get(name)![i]! - base.get(name)![i]!
  const masked = await merge(text('masked_task_arithmetic', 'base+a', 'mask'))
  const expected = own.get(name)!.map((_, i) => factorOf(i) * change(i))
  expect(distance(masked.product(q), expected)).toBeLessThan(1e-5)
  const fisher = await merge(text('fisher', 'base+a', 'importance'))
  expect(
    distance(
      fisher.product(q),
      own.get(name)!.map((_, i) => change(i)),
    ),
  ).toBeLessThan(1e-5)
  const knots = text('masked_task_arithmetic', 'base+a', 'mask').replace('rank: 8', 'adapter_space: knots')
  await expectIssue(prepareIn(folder.path, knots), 'adapter-space')
})

describe('regmean as an adapter', () => {
  const name = `${q}.weight`
  const statistics = (seed: number) => ({
    shape: [8, 8],
    value: (i: number) => Math.cos(seed * (i % 8) * Math.floor(i / 8)) + (i % 9 === 0 ? 8 : 0),
  })
  const text = (models: readonly string[], rest: string) =>
    `merge_method: regmean\nbase_model: base\ndtype: float32\nmodels: [${models
      .map((model, i) => `{ model: ${model}, parameters: { statistics: of-${i} } }`)
      .join(', ')}]\n${rest}`
  const toAdapter = 'out_format: lora\nrank: 8'
  const writeAll = async () => {
    await writeLlamas(folder.path, { base: { hidden: 8 }, tuned: { hidden: 8 }, other: { hidden: 8 } })
    await writeAdapter(at('a'), { [q]: [8, 3, 8] })
    await writeAdapter(at('b'), { [q]: [8, 2, 8] }, { seed: 2 })
    for (const [i, seed] of [1, 2].entries()) await writeModel(at(`of-${i}`), { tensors: { [q]: statistics(seed) } })
  }

  test.each([
    ['adapters', ['base+a', 'base+b']],
    ['fine-tunes', ['tuned', 'other']],
    ['one of each', ['base+a', 'other']],
  ])('of %s is what it changes of the base', async (_, models) => {
    await writeAll()
    const merged = await mergeIn(folder.path, text(models, ''), { runtime: wasmRuntime })
    const base = (await readModel(at('base'))).get(name)!
    const { product } = await merge(text(models, toAdapter))
    const change = Float64Array.from(merged.tensors[name]!.values, (value, i) => value - base[i]!)
    expect(distance(product(q), change)).toBeLessThan(1e-5)
    expect(distance(change, new Float64Array(64))).toBeGreaterThan(0.1)
  })

  test('of layers that are stored as inputs × outputs is what it changes of them', async () => {
    const golden = (of: string) => fileURLToPath(new URL(`../../../../goldens/models/gpt2-${of}`, import.meta.url))
    const layer = 'transformer.h.1.attn.c_proj'
    for (const [i, seed] of [1, 2].entries()) {
      const value = (at: number) => Math.cos(seed * (at % 16) * Math.floor(at / 16)) + (at % 17 === 0 ? 16 : 0)
      await writeModel(at(`of-${i}`), { tensors: { [`${layer}.weight`]: { shape: [16, 16], value } } })
    }
    const recipe = text([golden('ft1'), golden('ft2')], '').replace('base_model: base', `base_model: ${golden('base')}`)
    const merged = await mergeIn(folder.path, recipe, { runtime: wasmRuntime })
    const toWhole = `${recipe}out_format: lora\nrank: 100`
    const { out } = await merge(toWhole)
    const found = await readModel(golden('base'), out)
    for (const [key, { values }] of Object.entries(merged.tensors))
      expect([key, distance(found.get(key)!, values) < 1e-5]).toEqual([key, true])
    const { tensors } = (await planFileIn(folder.path, toWhole)).plan
    const { operation } = tensors.find(({ name: factor }) => factor.includes('h.1.attn.c_proj.lora_A'))!
    expect(operation).toMatchObject({ change: { kind: 'task-vectors', inputSide: 'rows', transposed: true } })
  })

  test('is the same by a plan file', async () => {
    await writeAll()
    const recipe = text(['base+a', 'base+b'], toAdapter)
    const whole = await merge(recipe)
    const file = await planFileIn(folder.path, recipe, { name: 'x' })
    await makeParts(file, at('parts'), 2)
    await finishIn(file, at('parts'))
    const parts = await readFile(join(at('parts'), 'adapter_model.safetensors'))
    for (const [key, { values }] of whole.tensors) expect(parts.get(key)!.values).toEqual(values)
  })

  test.each<[string, (inputs: PlannedTensorInput[]) => PlannedTensorInput[]]>([
    ['lack one', (inputs) => inputs.slice(0, -1)],
    ['have one too many', (inputs) => [...inputs, inputs.at(-1)!]],
    ['are of another size', (inputs) => inputs.with(-1, sizedAs(inputs.at(-1)!, [4, 4]))],
    ['are no squares', (inputs) => inputs.with(-1, sizedAs(inputs.at(-1)!, [4, 8]))],
  ])('is refused from a plan whose files %s', async (_, damage) => {
    await writeAll()
    const { tensors } = await planIn(folder.path, text(['base+a', 'base+b'], toAdapter))
    const { operation, shape } = tensors.find((tensor) => tensor.operation.kind === 'factors')!
    if (operation.kind !== 'factors') throw new TypeError('there are no factors')
    expect(checkFactors(operation, shape)).toBeUndefined()
    expect(checkFactors({ ...operation, inputs: damage([...operation.inputs]) }, shape)).toBe(
      'task vectors of other sizes',
    )
  })
})

const sizedAs = (of: PlannedTensorInput, shape: readonly number[]): PlannedTensorInput => ({
  ...of,
  source: { ...of.source, shape } as PlannedTensorInput['source'],
})
