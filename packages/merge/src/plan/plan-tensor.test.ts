import { expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'

const folder = useFolder()
const linear = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]'
const q = 'model.layers.0.self_attn.q_proj'

test('one error names every tensor that is missing anywhere', async () => {
  const norms = ['model.layers.0.input_layernorm.weight', 'model.layers.1.input_layernorm.weight']
  await writeLlamas(folder.path, { a: { extra: { [`${q}.bias`]: { shape: [4] } } }, b: { without: norms } })
  const message = await expectIssue(planIn(folder.path, linear), 'missing-tensor', {
    missing: [{ model: 'b', other: 'a', tensors: [norms[0]!, `${q}.bias`, norms[1]!] }],
  })
  expect(message).toBe(
    `b lacks model.layers.{0–1}.input_layernorm.weight, ${q}.bias, which a has; expected all models to have the same ('missing: base' in the recipe takes what the base has, 'missing: skip' leaves out what no layer needs, 'missing: others' merges what the others have)`,
  )
})

test('slerp takes a tensor that only one model has from that one', async () => {
  await writeLlamas(folder.path, { a: {}, b: { extra: { [`${q}.bias`]: { shape: [4] } } } })
  const { tensors, plan } = await mergeIn(
    folder.path,
    'merge_method: slerp\nbase_model: a\nparameters: {t: 0.5}\nmodels: [{model: a}, {model: b}]',
  )
  expect(plan.tensors.find(({ name }) => name === `${q}.bias`)?.operation).toMatchObject({
    kind: 'copy',
    input: { input: 1 },
  })
  expect(tensors[`${q}.bias`]!.shape).toEqual([4])
  expect(plan.notes).toEqual([`${q}.bias: only b has it, so copied from there`])
})

test('shapes that differ are named with both tensors', async () => {
  await writeLlamas(folder.path, { a: {}, b: { extra: { [`${q}.weight`]: { shape: [4, 5] } } } })
  const message = await expectIssue(planIn(folder.path, linear), 'shape-mismatch', {
    tensors: [
      { model: 'a', name: `${q}.weight`, shape: [4, 4] },
      { model: 'b', name: `${q}.weight`, shape: [4, 5] },
    ],
  })
  expect(message).toBe(`shapes differ: ${q}.weight of a is [4, 4], ${q}.weight of b is [4, 5]`)
})

test('buffers and integers are taken from the first model, in their own dtype, and named once', async () => {
  const layer = 'model.layers.0'
  const extra = (value: number) =>
    ({
      [`${layer}.self_attn.rotary_emb.inv_freq`]: { shape: [2], value: () => value },
      [`${layer}.ids`]: { dtype: 'I64', shape: [2], value: () => value },
      [`${layer}.mask`]: { dtype: 'BOOL', shape: [2], value: () => value },
    }) as const
  await writeLlamas(folder.path, { a: { extra: extra(1) }, b: { extra: extra(0) } })
  const { tensors, plan } = await mergeIn(folder.path, `dtype: bfloat16\n${linear}`)
  expect(tensors[`${layer}.self_attn.rotary_emb.inv_freq`]).toEqual({ dtype: 'F32', shape: [2], values: [1, 1] })
  expect(tensors[`${layer}.ids`]).toEqual({ dtype: 'I64', shape: [2], values: [1, 1] })
  expect(tensors[`${layer}.mask`]).toEqual({ dtype: 'BOOL', shape: [2], values: [1, 1] })
  expect(plan.notes).toEqual([
    `${layer}.self_attn.rotary_emb.inv_freq: no weights, so not merged; taken from a`,
    `${layer}.ids: I64 values of a are not merged; taken from a`,
    `${layer}.mask: BOOL values of a are not merged; taken from a`,
  ])
})

test('a buffer that one model lacks is no error', async () => {
  const name = 'model.layers.0.self_attn.rotary_emb.inv_freq'
  await writeLlamas(folder.path, { a: {}, b: { extra: { [name]: { shape: [2], value: () => 3 } } } })
  expect((await mergeIn(folder.path, linear)).tensors[name]?.values).toEqual([3, 3])
})

test.each(['dtype', 'out_dtype'])('%s is the dtype of what is written, and config.json says so', async (key) => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  const { tensors, plan } = await mergeIn(folder.path, `${key}: float16\n${linear}`)
  expect(new Set(Object.values(tensors).map(({ dtype }) => dtype))).toEqual(new Set(['F16']))
  expect(plan.documents.find(({ name }) => name === 'config.json')!.text).toContain('"torch_dtype": "float16"')
})

test('without a dtype each tensor keeps its own', async () => {
  await writeLlamas(folder.path, { a: { dtype: 'BF16', extra: { 'model.norm.weight': { shape: [4] } } }, b: {} })
  const { tensors } = await mergeIn(folder.path, linear)
  expect([tensors['model.norm.weight']!.dtype, tensors['lm_head.weight']!.dtype]).toEqual(['F32', 'BF16'])
})

test('empty tensors and single numbers merge', async () => {
  const tensors = (value: number) => ({
    'x.0.a': { shape: [0, 3] },
    'x.0.b': { shape: [], value: () => value },
    'x.1.a': { shape: [0, 3] },
    'x.1.b': { shape: [], value: () => value },
  })
  const config = { model_type: 'unheard-of' }
  await writeModel(`${folder.path}/a`, { config, tensors: tensors(1) })
  await writeModel(`${folder.path}/b`, { config, tensors: tensors(3) })
  expect((await mergeIn(folder.path, linear)).tensors).toMatchObject({
    'x.0.a': { shape: [0, 3], values: [] },
    'x.0.b': { shape: [], values: [2] },
  })
})

test('weights scaled in float8 come out in the dtype of the model', async () => {
  const weight = {
    'model.layers.0.self_attn.q_proj.weight': { dtype: 'F8_E4M3', shape: [4, 4], value: () => 2 },
    'model.layers.0.self_attn.q_proj.weight_scale_inv': { shape: [1, 1], value: () => 0.5 },
  } as const
  await writeLlamas(folder.path, {
    a: {
      dtype: 'BF16',
      extra: weight,
      config: { torch_dtype: 'bfloat16', quantization_config: { quant_method: 'fp8', weight_block_size: [128, 128] } },
    },
  })
  const { tensors, plan } = await mergeIn(folder.path, 'merge_method: passthrough\nmodels: [{model: a}]')
  expect(tensors[`${q}.weight`]).toEqual({ dtype: 'BF16', shape: [4, 4], values: Array(16).fill(1) })
  expect(plan.documents.find(({ name }) => name === 'config.json')!.text).not.toContain('quantization_config')
})
