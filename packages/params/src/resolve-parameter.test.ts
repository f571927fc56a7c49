import { formatPath, parseConfig } from '@mk/config'
import { describe, expect, it } from 'vitest'
import { listParameterNames } from './list-parameter-names.ts'
import { parameterBlocks, resolveParameter } from './resolve-parameter.ts'

/** What `name` is for the source at [slice, source], or for the method without a source. */
function ask(text: string, name: string, tensorName: string, depth: number, [slice, source]: [number, number?] = [0]) {
  const { config } = parseConfig(text)
  const module = config.modules[0]!
  const sliceConfig = module.slices[slice]!
  const resolved = resolveParameter(
    name,
    parameterBlocks(config, module, sliceConfig, source === undefined ? undefined : sliceConfig.sources[source]),
    { tensorName, depth },
  )
  return resolved && [resolved.value, formatPath(resolved.path)]
}

const slerp = `
merge_method: slerp
slices: [{sources: [{model: a, layer_range: [0, 5]}, {model: b, layer_range: [0, 5]}]}]
base_model: a
parameters:
  t:
    - {filter: self_attn, value: [0, 0.5, 0.3, 0.7, 1]}
    - {filter: mlp, value: [1, 0.5, 0.7, 0.3, 0]}
    - value: 0.5`

describe('filters', () => {
  it.each([
    ['model.layers.1.self_attn.q_proj.weight', 0.25, 0.5, 'parameters.t[0].value'],
    ['model.layers.2.mlp.down_proj.weight', 0.5, 0.7, 'parameters.t[1].value'],
    ['model.layers.4.mlp.down_proj.weight', 1, 0, 'parameters.t[1].value'],
    ['model.layers.4.input_layernorm.weight', 1, 0.5, 'parameters.t[2].value'],
    ['model.embed_tokens.weight', 0, 0.5, 'parameters.t[2].value'],
  ])('%s at %f has %f', (tensorName, depth, value, path) => {
    expect(ask(slerp, 't', tensorName, depth)).toEqual([value, path])
  })

  const top = (setting: string) => `merge_method: linear\nmodels: [{model: a}]\nparameters: {p: ${setting}}`

  it('the first match wins, whatever follows', () => {
    expect(ask(top('[{filter: mlp, value: 1}, {filter: mlp.down, value: 2}]'), 'p', 'layers.0.mlp.down', 0)).toEqual([
      1,
      'parameters.p[0].value',
    ])
  })

  it('an asterisk matches everything, and is no pattern inside of a filter', () => {
    expect(ask(top('[{filter: "*", value: 1}]'), 'p', 'x', 0)?.[0]).toBe(1)
    expect(ask(top('[{filter: "l*p", value: 1}]'), 'p', 'lmp', 0)).toBeUndefined()
  })

  it('filters are parts of the name, with upper and lower case apart', () => {
    expect(ask(top('{filter: mlp, value: 1}'), 'p', 'layers.0.MLP.down', 0)).toBeUndefined()
    expect(ask(top('{filter: "10.", value: 1}'), 'p', 'layers.110.q', 0)?.[0]).toBe(1)
  })

  it('values that are no numbers stay what they are', () => {
    expect(ask(top('[{filter: mlp, value: false}, {value: count}]'), 'p', 'mlp', 0)?.[0]).toBe(false)
    expect(ask(top('[{filter: mlp, value: false}, {value: count}]'), 'p', 'attn', 0)?.[0]).toBe('count')
  })
})

describe('precedence', () => {
  const all = `
merge_method: ties
modules:
  text:
    slices:
      - sources:
          - {model: a, parameters: {weight: {filter: q_proj, value: 1}}}
          - {model: b}
        parameters: {weight: {filter: self_attn, value: 2}}
    parameters: {weight: {filter: layers.0, value: 4}}
input_model_parameters: {a: {weight: {filter: proj, value: 3}}}
parameters: {weight: 5}`

  it.each([
    ['layers.0.self_attn.q_proj', 1, 'modules.text.slices[0].sources[0].parameters.weight[0].value'],
    ['layers.0.self_attn.k_proj', 2, 'modules.text.slices[0].parameters.weight[0].value'],
    ['layers.0.mlp.up_proj', 3, 'input_model_parameters.a.weight[0].value'],
    ['layers.0.norm', 4, 'modules.text.parameters.weight[0].value'],
    ['layers.1.norm', 5, 'parameters.weight'],
  ])('source, slice, model, module, top level: %s has %f', (tensorName, value, path) => {
    expect(ask(all, 'weight', tensorName, 0, [0, 0])).toEqual([value, path])
  })

  it('what one model sets holds for no other, and not for the method', () => {
    expect(ask(all, 'weight', 'layers.0.mlp.q_proj', 0, [0, 1])?.[0]).toBe(4)
    expect(ask(all, 'weight', 'layers.0.mlp.q_proj', 0)?.[0]).toBe(4)
  })

  it('one model may occur twice with its own parameters', () => {
    const twice =
      'merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: a, parameters: {weight: 2}}]'
    expect([0, 1].map((source) => ask(twice, 'weight', 'x', 0, [0, source])?.[0])).toEqual([1, 2])
  })

  it('nothing set is undefined', () => {
    expect(ask(all, 'density', 'layers.0.norm', 0, [0, 0])).toBeUndefined()
    expect(resolveParameter('weight', [undefined], { tensorName: 'x', depth: 0 })).toBeUndefined()
  })
})

it('lists every parameter with its place, once', () => {
  const { config } = parseConfig(`merge_method: ties
input_model_parameters: {a: {density: 1}}
models: [{model: a, parameters: {weight: 1}}, {model: a, parameters: {wieght: 1}}]
parameters: {normalize: true, dtype: bfloat16}`)
  expect(listParameterNames(config).map(({ name, path, level }) => `${name} ${formatPath(path)} ${level}`)).toEqual([
    'normalize parameters.normalize general',
    'dtype parameters.dtype general',
    'weight models[0].parameters.weight model',
    'density input_model_parameters.a.density model',
    'wieght models[1].parameters.wieght model',
  ])
})

it('lists those of modules, slices and their sources', () => {
  const { config } = parseConfig(`merge_method: passthrough
modules:
  text_decoder:
    parameters: {a: 1}
    slices:
    - parameters: {b: 1}
      sources: [{model: m, layer_range: [0, 1], parameters: {c: 1}}]
  vision_tower: {parameters: {d: 1}, models: [{model: m}]}`)
  expect(listParameterNames(config).map(({ name, path, level }) => `${name} ${formatPath(path)} ${level}`)).toEqual([
    'a modules.text_decoder.parameters.a general',
    'b modules.text_decoder.slices[0].parameters.b general',
    'c modules.text_decoder.slices[0].sources[0].parameters.c model',
    'd modules.vision_tower.parameters.d general',
  ])
})
