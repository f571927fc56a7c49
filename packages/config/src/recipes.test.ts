import { expect, it } from 'vitest'
import { failureOf } from './__fixtures__/failures.ts'
import { parseConfig } from './parse-config.ts'

// Recipes in the shapes that model cards have, with what they get wrong.

it('reads the three examples of the documents', () => {
  const linear =
    'models:\n  - model: psmathur/orca_mini_v3_13b\n    parameters:\n      weight: 1.0\n  - model: WizardLM/WizardLM-13B-V1.2\n    parameters:\n      weight: 0.3\nmerge_method: linear\ndtype: float16\n'
  const stack =
    'slices:\n  - sources:\n    - model: psmathur/orca_mini_v3_13b\n      layer_range: [0, 24]\n  - sources:\n    - model: garage-bAInd/Platypus2-13B\n      layer_range: [20, 40]\nmerge_method: passthrough\ndtype: float16\n'
  const slerp =
    'slices:\n  - sources:\n      - {model: psmathur/orca_mini_v3_13b, layer_range: [0, 40]}\n      - {model: garage-bAInd/Platypus2-13B, layer_range: [0, 40]}\nmerge_method: slerp\nbase_model: psmathur/orca_mini_v3_13b\nparameters:\n  t:\n    - filter: self_attn\n      value: [0, 0.5, 0.3, 0.7, 1]\n    - value: 0.5 # fallback for rest of tensors\ndtype: float16\n'
  for (const text of [linear, stack, slerp]) expect(parseConfig(text).warnings).toEqual([])
})

it('reads a list whose items are indented less than usual, and comments between them', () => {
  const text =
    'models:\n# the base needs no parameters\n- model: a/base\n# the expert\n- model: a/expert\n  parameters:\n    density: 0.53\n    weight: [0.22, 0.113, 0.113]\nmerge_method: dare_ties\nbase_model: a/base\nparameters:\n  int8_mask: true\ndtype: bfloat16\n'
  expect(parseConfig(text).config.modules[0]!.slices[0]!.sources).toHaveLength(2)
})

it('says where the second recipe begins in a file that is to hold one', () => {
  const text =
    'models: [{model: a}]\nmerge_method: linear\nname: stage-1\n---\nmodels: [{model: stage-1}]\nmerge_method: linear\n'
  expect(failureOf(text, 'stages.yml').message).toBe(
    `stages.yml:5:1: the file holds 2 documents separated by '---', expected one`,
  )
})

it('tells where weights belong that stand beside the model', () => {
  const text = 'merge_method: ties\nmodels:\n  - model: a\n    density: 1.0\n    weight: 0.6\nbase_model: b\n'
  expect(failureOf(text).message).toBe(
    [
      `config:4:5: unknown key 'density' in models[0]; settings of the merge method stand under parameters (expected: model, parameters)`,
      `config:5:5: unknown key 'weight' in models[0]; settings of the merge method stand under parameters (expected: model, parameters)`,
    ].join('\n'),
  )
})

it('tells a Windows user how to quote', () => {
  expect(failureOf('merge_method: linear\nmodels:\n  - model: "D:\\Uni\\model"').message).toContain(
    'a Windows path stands in single quotes or in none',
  )
  const plain = parseConfig(
    `merge_method: linear\nmodels:\n  - model: D:\\Uni\\model\n  - model: 'D:\\My Models\\x'\n  - model: "D:/My Models/x"`,
  )
  expect(plain.config.modules[0]!.slices[0]!.sources.map(({ model }) => model.path)).toEqual([
    'D:\\Uni\\model',
    'D:\\My Models\\x',
    'D:/My Models/x',
  ])
})
