import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()
const layersOf = (names: Iterable<string>) =>
  new Set([...names].flatMap((name) => /layers\.(\d+)/.exec(name)?.[1] ?? []))
const stack = (...sources: readonly string[]) =>
  `merge_method: passthrough\nslices:\n${sources.map((source) => `- sources: [{${source}}]\n`).join('')}`

describe('slices', () => {
  test('stack layers of several models; what stands before them is the first one’s, what stands after the last one’s', async () => {
    await writeLlamas(folder.path, { a: { layers: 3 }, b: { layers: 4 } })
    const { plan } = await mergeIn(folder.path, stack('model: a, layer_range: [0, 2]', 'model: b, layer_range: [1, 4]'))
    const origins = plan.tensors.map(({ name, operation }) => [
      name,
      operation.kind === 'merge'
        ? operation.models.map((model) => `${plan.inputs[model.input]!.label}:${model.name}`).join()
        : operation.kind,
    ])
    expect(Object.fromEntries(origins)).toMatchObject({
      'model.embed_tokens.weight': 'a:model.embed_tokens.weight',
      'model.layers.1.mlp.down_proj.weight': 'a:model.layers.1.mlp.down_proj.weight',
      'model.layers.2.mlp.down_proj.weight': 'b:model.layers.1.mlp.down_proj.weight',
      'model.layers.4.mlp.down_proj.weight': 'b:model.layers.3.mlp.down_proj.weight',
      'model.norm.weight': 'b:model.norm.weight',
      'lm_head.weight': 'b:lm_head.weight',
    })
    expect(JSON.parse(plan.documents.find(({ name }) => name === 'config.json')!.text)).toMatchObject({
      num_hidden_layers: 5,
    })
    expect(plan.notes).toEqual([
      'a: layer 2 not used',
      'a: model.norm.weight, lm_head.weight not used',
      'b: layer 0 not used',
      'b: model.embed_tokens.weight not used',
    ])
  })

  test('may reach past the last layer of the donor', async () => {
    await writeLlamas(folder.path, { a: { layers: 1, config: { layer_types: ['full'] } }, b: { layers: 3 } })
    const plan = await planIn(folder.path, stack('model: a', 'model: b, layer_range: [1, 3]'))
    expect(JSON.parse(plan.documents.find(({ name }) => name === 'config.json')!.text)).toMatchObject({
      num_hidden_layers: 3,
      layer_types: ['full', 'full', 'full'],
    })
  })

  test('that start later take what their own layers have, not what the first layers have', async () => {
    const biased = (layer: number) => `model.layers.${layer}.self_attn.q_proj.bias`
    await writeLlamas(folder.path, {
      a: { layers: 4, extra: { [biased(0)]: { shape: [4] }, [biased(3)]: { shape: [4] } } },
    })
    const recipe = stack('model: a, layer_range: [1, 2]', 'model: a, layer_range: [2, 4]')
    const refusal = await expectIssue(planIn(folder.path, recipe), 'stack-unreadable')
    expect(refusal).toContain('layer 0 would be layer 1 of a, which lacks self_attn.q_proj.bias')
    const { plan, tensors } = await mergeIn(folder.path, recipe, { prepare: { allowMixedArchitectures: true } })
    expect(plan.notes[0]).toBe(refusal)
    const { tensors: whole } = await mergeIn(folder.path, stack('model: a'), { out: `${folder.path}/whole` })
    expect(Object.keys(tensors).filter((name) => name.endsWith('bias'))).toEqual([biased(2)])
    expect(tensors[biased(2)]).toEqual(whole[biased(3)])
    const norms = [0, 1, 2].map((layer) => `model.layers.${layer}.input_layernorm.weight`)
    expect(norms.map((name) => tensors[name])).toEqual(
      [1, 2, 3].map((layer) => whole[`model.layers.${layer}.input_layernorm.weight`]),
    )
    expect(plan.notes).toContain('a: layer 0 not used')
  })

  test('that start later take what config.json says of their own layers', async () => {
    const full = 'full_attention'
    const sliding = 'sliding_attention'
    await writeLlamas(folder.path, {
      a: { layers: 4, config: { layer_types: [full, sliding, sliding, full] } },
      b: { layers: 3, config: { layer_types: [sliding, full, sliding] } },
    })
    const typesOf = async (...sources: readonly string[]) => {
      const { documents } = await planIn(folder.path, stack(...sources))
      return (JSON.parse(documents.find(({ name }) => name === 'config.json')!.text) as { layer_types: unknown })
        .layer_types
    }
    expect(await typesOf('model: a, layer_range: [1, 3]')).toEqual([sliding, sliding])
    expect(await typesOf('model: a, layer_range: [2, 4]')).toEqual([sliding, full])
    expect(await typesOf('model: a, layer_range: [3, 4]', 'model: a, layer_range: [0, 2]')).toEqual([
      full,
      full,
      sliding,
    ])
    expect(await typesOf('model: a, layer_range: [0, 1]', 'model: b, layer_range: [1, 3]')).toEqual([
      full,
      full,
      sliding,
    ])
  })

  test('of no layers give what stands before or after the layers', async () => {
    await writeLlamas(folder.path, { a: {}, b: {}, c: {} })
    const { plan } = await mergeIn(
      folder.path,
      stack('model: a, layer_range: [0, 0]', 'model: b', 'model: c, layer_range: [2, 2]'),
    )
    const inputOf = (name: string) =>
      plan.tensors
        .filter((tensor) => tensor.name.includes(name))
        .map(({ operation }) => operation.kind === 'merge' && plan.inputs[operation.models[0]!.input]!.label)
    expect(['embed', 'layers.1.mlp', 'lm_head'].map(inputOf)).toEqual([['a'], ['b'], ['c']])
    expect(layersOf(plan.tensors.map(({ name }) => name))).toEqual(new Set(['0', '1']))
  })

  test.each([
    ['alone', stack('model: a, layer_range: [1, 1]'), 3],
    ['in the middle', stack('model: a', 'model: a, layer_range: [1, 1]', 'model: a'), 4],
  ])('of no layers are refused %s', async (_, text, line) => {
    await writeLlamas(folder.path, { a: {} })
    expect(await expectIssue(planIn(folder.path, text), 'empty-slice', { range: [1, 1] })).toContain(
      `recipe.yml:${line}:`,
    )
  })

  test('past the last layer are refused, with line and column', async () => {
    await writeLlamas(folder.path, { a: {} })
    const message = await expectIssue(planIn(folder.path, stack('model: a, layer_range: [0, 3]')), 'layer-range', {
      model: 'a',
      layerCount: 2,
    })
    expect(message).toMatch(
      /recipe\.yml:3:\d+: layer_range \[0, 3\] goes past the end: a has 2 layers \(0 to 1; the end is exclusive\)/,
    )
  })

  test('of different lengths are refused', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const text =
      'merge_method: linear\nslices:\n- sources: [{model: a, layer_range: [0, 2]}, {model: b, layer_range: [0, 1]}]\n  parameters: {weight: 1}'
    await expectIssue(planIn(folder.path, text), 'slice-lengths', {
      lengths: [
        { model: 'a', length: 2 },
        { model: 'b', length: 1 },
      ],
    })
  })

  test('have a base of their own', async () => {
    await writeLlamas(folder.path, { a: {}, b: {}, c: {} })
    const text =
      'merge_method: slerp\nparameters: {t: 0.5}\nslices:\n- {base_model: b, sources: [{model: a, layer_range: [0, 1]}, {model: b, layer_range: [0, 1]}]}\n- {base_model: c, sources: [{model: c, layer_range: [1, 2]}, {model: a, layer_range: [0, 1]}]}'
    const plan = await planIn(folder.path, text)
    const baseOf = (name: string) =>
      plan.tensors
        .filter((tensor) => tensor.name === name)
        .map(
          ({ operation }) =>
            operation.kind === 'merge' && `${plan.inputs[operation.base!.input]!.label} ${operation.base!.name}`,
        )
    expect(baseOf('model.layers.0.input_layernorm.weight')).toEqual(['b model.layers.0.input_layernorm.weight'])
    expect(baseOf('model.layers.1.input_layernorm.weight')).toEqual(['c model.layers.1.input_layernorm.weight'])
  })

  test('start their gradients anew', async () => {
    await writeLlamas(folder.path, { a: { layers: 4 } })
    const scaled = 'model: a, layer_range: [0, 3], parameters: {scale: [1, 3]}'
    const plan = await planIn(folder.path, stack(scaled, 'model: a, layer_range: [3, 4], parameters: {scale: [1, 3]}'))
    const scales = plan.tensors
      .filter(({ name }) => name.includes('q_proj'))
      .map(({ operation }) => operation.kind === 'merge' && operation.parameters['scale'])
    expect(scales).toEqual([[1], [2], [3], [3]])
  })
})

describe('base_model', () => {
  test('is needed by methods with task vectors', async () => {
    await writeLlamas(folder.path, { a: {} })
    await expectIssue(planIn(folder.path, 'merge_method: ties\nmodels: [{model: a}]'), 'base-required', {
      method: 'ties',
    })
  })

  test('in no list only gives config and tokenizer to a method without a base, whatever its layers', async () => {
    await writeLlamas(folder.path, { a: {}, b: {}, base: { layers: 3, files: { 'tokenizer.json': '{}' } } })
    const { plan, tensors } = await mergeIn(
      folder.path,
      'merge_method: linear\nbase_model: base\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]',
    )
    expect(layersOf(Object.keys(tensors))).toEqual(new Set(['0', '1']))
    expect(plan.notes).toEqual(['base only gives its config and tokenizer: none of its tensors is in the output'])
    expect(plan.copies.map(({ name }) => name)).toEqual(['tokenizer.json'])
  })

  test('in no list is merged by linear where a weight holds for it', async () => {
    await writeLlamas(folder.path, { a: {}, base: {} })
    const plan = await planIn(
      folder.path,
      'merge_method: linear\nbase_model: base\nparameters: {weight: 2}\nmodels: [{model: a}]',
    )
    expect(plan.tensors[0]!.operation).toMatchObject({
      kind: 'merge',
      models: [{ name: 'model.embed_tokens.weight' }, { name: 'model.embed_tokens.weight' }],
      parameters: { weight: [2, 2] },
    })
  })

  test('listed twice is the base once and a model once, and merges to itself', async () => {
    await writeLlamas(folder.path, { a: { dtype: 'BF16' } })
    const { tensors } = await mergeIn(
      folder.path,
      'merge_method: slerp\nbase_model: a\nparameters: {t: 0.3}\nmodels: [{model: a}, {model: a}]',
    )
    const { tensors: same } = await mergeIn(folder.path, 'merge_method: passthrough\nmodels: [{model: a}]', {
      out: `${folder.path}/same`,
    })
    expect(tensors).toEqual(same)
  })

  test.each([
    ['slerp', 'exactly 1 model besides the base model'],
    ['nuslerp', 'exactly 2 models besides the base model'],
    ['model_stock', 'at least 2 models besides the base model'],
  ])('alone is not enough for %s', async (method, expected) => {
    await writeLlamas(folder.path, { a: {} })
    const message = await expectIssue(
      planIn(folder.path, `merge_method: ${method}\nbase_model: a\nparameters: {t: 0}\nmodels: [{model: a}]`),
      'model-count',
      { method, found: 0 },
    )
    expect(message).toMatch(new RegExp(`^.*recipe\\.yml:\\d+:\\d+: ${method} takes ${expected}, found 0$`))
  })
})

test('a base that is in no list has the layers of the first source', async () => {
  await writeLlamas(folder.path, { a: {}, b: {}, base: {} })
  const plan = await planIn(
    folder.path,
    'merge_method: task_arithmetic\nbase_model: base\nparameters: {weight: 1}\nslices:\n- sources: [{model: a, layer_range: [1, 2]}, {model: b, layer_range: [0, 1]}]',
  )
  const { operation } = plan.tensors.find(({ name }) => name === 'model.layers.0.input_layernorm.weight')!
  const at = (layer: number) => `model.layers.${layer}.input_layernorm.weight`
  expect(operation).toMatchObject({ base: { name: at(1) }, models: [{ name: at(1) }, { name: at(0) }] })
})
