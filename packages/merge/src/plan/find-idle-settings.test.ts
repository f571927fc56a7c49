import { builtinMethods } from '@mk/methods'
import { beforeEach, describe, expect, test } from 'vitest'
import { prepareIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()
beforeEach(() => writeLlamas(folder.path, { a: {}, b: {}, base: {} }))

const warningsOf = async (text: string): Promise<string[]> =>
  (await prepareIn(folder.path, text)).warnings.map((line) => line.replaceAll(`${folder.path}/`, ''))

const slerp = (t: string) => `merge_method: slerp\nbase_model: base\nmodels: [{model: a}]\nparameters:\n  t:\n${t}`

describe('a filter', () => {
  test('that is in no name is told, with what is near; those that work are not', async () => {
    expect(
      await warningsOf(
        slerp(
          '  - {filter: self_atn, value: 0.1}\n  - {filter: mlp, value: 0.2}\n  - {filter: attention, value: 1}\n  - value: 0.5\n',
        ),
      ),
    ).toEqual([
      `recipe.yml:6:14: the filter 'self_atn' of 't' matches no tensor; did you mean 'self_attn'?`,
      `recipe.yml:8:14: the filter 'attention' of 't' matches no tensor`,
    ])
  })

  test.each([
    ['self_attn.query', 'self_attn'],
    ['the_mlp_of_it', 'mlp'],
    ['layers_and_mlp', 'layers'],
  ])('%s is near to %s, the longest part that is in it', async (filter, part) => {
    expect(await warningsOf(slerp(`  - {filter: ${filter}, value: 0.1}\n  - value: 0.5\n`))).toEqual([
      expect.stringContaining(`matches no tensor; did you mean '${part}'?`),
    ])
  })

  test('that is a pattern is told to be none', async () => {
    expect(await warningsOf(slerp('  - {filter: "layers.*mlp", value: 0.1}\n  - value: 0.5\n'))).toEqual([
      expect.stringContaining(`a filter is a part of a tensor's name, not a pattern`),
    ])
  })

  test.each([
    ['- {filter: "*", value: 0.5}', 14],
    ['- value: 0.5', 12],
  ])('that stands for all other tensors (%s) is told where there are none', async (rest, column) => {
    expect(await warningsOf(slerp(`  - {filter: e, value: 0.1}\n  ${rest}\n`))).toEqual([
      `recipe.yml:7:${column}: the value of 't' for all other tensors is not used: there are none`,
    ])
  })

  test('whose tensors an earlier one takes is told', async () => {
    expect(
      await warningsOf(
        slerp('  - {filter: mlp, value: 0.1}\n  - {filter: mlp.down_proj, value: 0.3}\n  - value: 0.5\n'),
      ),
    ).toEqual([expect.stringMatching(/^recipe\.yml:7:14: the filter 'mlp\.down_proj' of 't' is not used: /)])
  })

  test('of one model is told once for all that share it by an alias, and not if one of them uses it', async () => {
    const shared = (filter: string) =>
      `merge_method: linear\nmodels:\n- {model: a, parameters: &p {weight: [{filter: ${filter}, value: 2}, {value: 1}]}}\n- {model: b, parameters: *p}\n`
    expect(await warningsOf(shared('nothing'))).toHaveLength(1)
    expect(await warningsOf(shared('mlp'))).toEqual([])
    const stack = (filter: string) =>
      `merge_method: passthrough\nslices:\n- sources: [{model: a, layer_range: [0, 1], parameters: &p {scale: [{filter: ${filter}, value: 2}, {value: 1}]}}]\n- sources: [{model: b, layer_range: [1, 2], parameters: *p}]\n`
    expect(await warningsOf(stack('layers.1.'))).toEqual([])
    expect(await warningsOf(stack('layers.7.'))).toHaveLength(1)
  })
})

describe('a value that no tensor has', () => {
  test('since all models have their own', async () => {
    expect(
      await warningsOf(
        'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 2}}]',
      ),
    ).toEqual([expect.stringMatching(/^recipe\.yml:2:22: 'weight' is not used: /)])
  })

  test('since it is that of the base', async () => {
    expect(
      await warningsOf(
        'merge_method: ties\nbase_model: base\nmodels:\n- {model: base, parameters: {weight: 1}}\n- {model: a, parameters: {weight: 1}}\n',
      ),
    ).toEqual([`recipe.yml:4:38: 'weight' of the base model is not used, only those of the other models are`])
  })

  test('but one that some model has, or a default of the method, is none', async () => {
    expect(
      await warningsOf(
        'merge_method: linear\nparameters: {weight: 1, normalize: true}\nmodels: [{model: a, parameters: {weight: 1}}, {model: b}]',
      ),
    ).toEqual([])
  })
})

describe('a model that contributes nothing', () => {
  const ties = (parameters: string, more = '') =>
    `merge_method: ties\nbase_model: base\nmodels:\n- {model: a, parameters: {weight: 1}}\n- {model: b, parameters: ${parameters}}\n${more}`

  test.each([
    ['weight 0', ties('{weight: 0}'), `recipe.yml:5:35: b contributes nothing: its weight is 0 for all tensors`],
    [
      'a gradient of 0',
      ties('{weight: [0, 0]}'),
      `recipe.yml:5:35: b contributes nothing: its weight is 0 for all tensors`,
    ],
    [
      'density 0',
      ties('{weight: 1, density: 0}'),
      `recipe.yml:5:47: b contributes nothing: its density is 0 for all tensors`,
    ],
    [
      'slerp that stays at the base',
      'merge_method: slerp\nbase_model: base\nmodels: [{model: a}]\nparameters: {t: 0}',
      `recipe.yml:4:17: a contributes nothing: t is 0 for all tensors`,
    ],
    [
      'slerp that goes all the way',
      'merge_method: slerp\nbase_model: base\nmodels: [{model: a}]\nparameters: {t: 1}',
      `recipe.yml:4:17: base contributes nothing: t is 1 for all tensors`,
    ],
    [
      'a weight of 0 where there is no base',
      'merge_method: linear\nmodels:\n- {model: a, parameters: {weight: 1}}\n- {model: b, parameters: {weight: 0}}',
      `recipe.yml:4:35: b contributes nothing: its weight is 0 for all tensors`,
    ],
    [
      'the first of two where there is no base',
      'merge_method: linear\nmodels:\n- {model: a, parameters: {weight: 0}}\n- {model: b, parameters: {weight: 1}}',
      `recipe.yml:3:35: a contributes nothing: its weight is 0 for all tensors`,
    ],
    [
      'the first of two besides a base',
      'merge_method: ties\nbase_model: base\nmodels:\n- {model: a, parameters: {weight: 0}}\n- {model: b, parameters: {weight: 1}}',
      `recipe.yml:4:35: a contributes nothing: its weight is 0 for all tensors`,
    ],
    [
      'lambda 0',
      'merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: a, parameters: {weight: 1}}]\nparameters: {lambda: 0}',
      `recipe.yml:4:22: a contributes nothing: lambda is 0 for all tensors`,
    ],
    [
      'select_topk 0',
      'merge_method: sce\nbase_model: base\nmodels: [{model: a}]\nparameters: {select_topk: 0}',
      `recipe.yml:4:27: a contributes nothing: select_topk is 0 for all tensors`,
    ],
    [
      'nearswap that swaps nothing',
      'merge_method: nearswap\nbase_model: base\nmodels: [{model: a}]\nparameters: {t: 0}',
      `recipe.yml:4:17: a contributes nothing: t is 0 for all tensors`,
    ],
  ])('%s', async (_, text, warning) => {
    expect(await warningsOf(text)).toEqual([warning])
  })

  test.each([
    'merge_method: slerp\nbase_model: base\nmodels: [{model: a}]\nparameters: {t: 0.5}',
    'merge_method: task_arithmetic\nbase_model: base\nmodels: [{model: a, parameters: {weight: 1}}]\nparameters: {lambda: 1}',
    'merge_method: linear\nmodels:\n- {model: a, parameters: {weight: 1}}\n- {model: b, parameters: {weight: 0.5}}',
    'merge_method: linear\nslices:\n- sources: [{model: a, layer_range: [0, 1], parameters: {weight: 1}}]\n- sources: [{model: b, layer_range: [1, 2], parameters: {weight: 1}}]',
  ])('none of %j', async (text) => {
    expect(await warningsOf(text)).toEqual([])
  })

  test('but a method of one’s own may mean anything by 0', async () => {
    const own = { ...builtinMethods.get('linear')!, name: 'own' }
    const text =
      'merge_method: own\nmodels:\n- {model: a, parameters: {weight: 1}}\n- {model: b, parameters: {weight: 0}}'
    expect((await prepareIn(folder.path, text, { methods: new Map([['own', own]]) })).warnings).toEqual([])
  })

  test('one whose weight is 0 here and there only, is none', async () => {
    expect(await warningsOf(ties('{weight: [0, 1]}'))).toEqual([])
    expect(await warningsOf(ties('{weight: [{filter: mlp, value: 0}, {value: 1}]}'))).toEqual([])
  })
})
