import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { builtinMethods } from '@mk/methods'
import { beforeEach, describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn, prepareIn, referenceRuntime } from '../__fixtures__/merge.ts'
import { type LoadedTensor, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { readPlanIdentity } from '../output/plan-identity.ts'
import { listMethods, methodOf } from '../plan/merge-plan.ts'

const folder = useFolder()
beforeEach(() => writeLlamas(folder.path, { a: {}, b: {}, c: {} }))

type Tensors = Readonly<Record<string, LoadedTensor>>

/** Takes each tensor from the merge that is meant for it. */
const choose = (names: readonly string[], from: (name: string) => Tensors): Tensors =>
  Object.fromEntries(names.map((name) => [name, from(name)[name]!]))

const two = 'models: [{model: a}, {model: b}]\nbase_model: a\nparameters: {t: 0.3, weight: 0.5}\n'
const mergeTo = async (out: string, text: string) =>
  (await mergeIn(folder.path, text, { out: join(folder.path, out) })).tensors

test('each tensor is merged by the method whose filter matches it, byte for byte as in a merge by that alone', async () => {
  const slerp = await mergeTo('slerp', `merge_method: slerp\n${two}`)
  const linear = await mergeTo('linear', `merge_method: linear\n${two}`)
  const ties = await mergeTo('ties', `merge_method: ties\n${two}`)
  const mixed = await mergeTo(
    'mixed',
    `merge_method:\n- {filter: self_attn, value: slerp}\n- {filter: mlp, value: ties}\n- {value: linear}\n${two}`,
  )
  const expected = choose(Object.keys(linear), (name) =>
    name.includes('self_attn') ? slerp : name.includes('mlp') ? ties : linear,
  )
  expect(mixed).toEqual(expected)
  for (const alone of [slerp, linear, ties]) expect(mixed).not.toEqual(alone)
})

test('slices have methods of their own, which take as many models as they need', async () => {
  const sources = (range: string) =>
    `{sources: [{model: a, layer_range: ${range}}, {model: b, layer_range: ${range}}], merge_method: slerp}`
  const stacked = await mergeTo(
    'stacked',
    `merge_method: passthrough\nbase_model: a\nparameters: {t: 0.3}\nslices:\n- {sources: [{model: a, layer_range: [0, 1]}]}\n- ${sources('[1, 2]')}\n`,
  )
  const copied = await mergeTo('copied', 'merge_method: passthrough\nmodels: [{model: a}]\n')
  const slerp = await mergeTo('slerp', `merge_method: slerp\n${two}`)
  const isSecond = (name: string) => name.includes('layers.1.') || /lm_head|model\.norm/.test(name)
  expect(stacked).toEqual(choose(Object.keys(slerp), (name) => (isSecond(name) ? slerp : copied)))
})

test('modules have methods of their own', async () => {
  const ofModule = await mergeTo(
    'module',
    `merge_method: linear\nbase_model: a\nmodules: {default: {merge_method: slerp, models: [{model: a}, {model: b}]}}\nparameters: {t: 0.3}\n`,
  )
  expect(ofModule).toEqual(await mergeTo('slerp', `merge_method: slerp\n${two}`))
})

describe('a base', () => {
  test('that is in no list is the base where a method needs one, and else not merged', async () => {
    const plan = await planIn(
      folder.path,
      'merge_method: [{filter: self_attn, value: task_arithmetic}, {value: linear}]\nbase_model: c\nmodels: [{model: a, parameters: {weight: 0.5}}, {model: b, parameters: {weight: 0.5}}]\n',
    )
    for (const { name, operation } of plan.tensors) {
      if (operation.kind !== 'merge') continue
      expect([operation.base !== undefined, operation.models.length]).toEqual([name.includes('self_attn'), 2])
    }
  })

  test('that is missing is an error of the method that needs it, where it has a tensor', async () => {
    const recipe = (filter: string) =>
      `merge_method: [{filter: ${filter}, value: ties}, {value: linear}]\nmodels: [{model: a}, {model: b}]\nparameters: {weight: 1}\n`
    expect(await expectIssue(planIn(folder.path, recipe('mlp')), 'base-required', { method: 'ties' })).toContain(
      'recipe.yml:2:',
    )
    await planIn(folder.path, recipe('nothing'))
  })
})

describe('parameters', () => {
  const recipe = (parameters: string) =>
    `merge_method: [{filter: self_attn, value: slerp}, {value: linear}]\nbase_model: a\nmodels: [{model: a}, {model: b}]\nparameters: ${parameters}\n`
  const told = async (text: string) => {
    const { warnings, plan } = await prepareIn(folder.path, text)
    return [...warnings, ...plan.notes].map((line) => line.replaceAll(`${folder.path}/`, ''))
  }

  test('are those of any method of the recipe', async () => {
    expect(await told(recipe('{t: 0.5, weight: 1}'))).toEqual([])
    const message = await expectIssue(
      planIn(folder.path, recipe('{t: 0.5, weight: 1, wieght: 2}')),
      'unknown-parameter',
      {
        nearest: 'weight',
      },
    )
    expect(message).toContain('recipe.yml:4:33: each of slerp, linear has no parameter')
    expect(await told(recipe('{t: 0.5, weight: 1, density: 0.5}'))).toEqual([
      "recipe.yml:4:42: each of slerp, linear has no parameter 'density'; it is ignored",
    ])
  })

  test('must be set where the method that needs them has a tensor', async () => {
    await expectIssue(planIn(folder.path, recipe('{weight: 1}')), 'missing-parameter', {
      method: 'slerp',
      parameter: 't',
    })
    const message = await expectIssue(
      planIn(folder.path, recipe('{t: [{filter: self_attn, value: 1}]}')),
      'recipe-faults',
    )
    expect(message).toMatch(/3:10: linear needs the parameter 'weight' of model a.*\n.*3:22: .* of model b/)
    await planIn(folder.path, recipe('{weight: 1, t: [{filter: self_attn, value: 1}]}'))
  })

  test('of the wrong kind are told before a model is opened', async () => {
    const message = await expectIssue(
      planIn(join(folder.path, 'elsewhere'), recipe('{t: much, weight: none}')),
      'recipe-faults',
    )
    expect(message).toMatch(/4:17: .*'t' of slerp is 'much'[\s\S]*4:31: .*'weight' of linear is 'none'/)
  })

  test('for tensors whose method has no such parameter are told to be idle', async () => {
    expect(await told(recipe('{weight: 1, t: [{filter: mlp, value: 0.2}, {value: 0.5}]}'))).toEqual([
      expect.stringMatching(
        /^recipe\.yml:4:38: the filter 'mlp' of 't' is not used: .*or is merged by a method that has no such parameter$/,
      ),
    ])
  })
})

describe('a method', () => {
  const recipe = (methods: string) => `merge_method: ${methods}\n${two}`

  test('whose filter matches nothing, or nothing more, is told with its place', async () => {
    const { warnings } = await prepareIn(
      folder.path,
      recipe(
        '[{filter: self_atn, value: slerp}, {filter: mlp, value: slerp}, {filter: mlp.down, value: ties}, {value: linear}]',
      ),
    )
    expect(warnings.map((line) => line.slice(folder.path.length + 1))).toEqual([
      "recipe.yml:1:25: the filter 'self_atn' of 'merge_method' matches no tensor; did you mean 'self_attn'?",
      expect.stringMatching(/^recipe\.yml:1:88: the filter 'mlp\.down' of 'merge_method' is not used: /),
    ])
  })

  test('that there is not is told with its place, and with what else is wrong', async () => {
    const message = await expectIssue(
      planIn(folder.path, recipe('[{filter: mlp, value: slurp}, {filter: norm, value: tis}, {value: linear}]')),
      'recipe-faults',
    )
    expect(message).toMatch(/1:37: .*'slurp'.*did you mean 'slerp'\?\n.*1:67: .*'tis'.*did you mean 'ties'\?/)
  })

  test('of the user is loaded wherever it is named, with leave only', async () => {
    const loaded: string[] = []
    const prepare = {
      loadMethod: (module: string) => {
        loaded.push(module)
        return Promise.resolve({ ...builtinMethods.get('linear')!, name: 'mine' })
      },
    }
    const text = recipe('[{filter: mlp, value: ./mine.mjs}, {value: linear}]')
    await expectIssue(planIn(folder.path, text, prepare), 'code-not-allowed', { module: './mine.mjs' })
    expect(loaded).toEqual([])
    const { tensors } = await mergeIn(folder.path, text, { prepare: { ...prepare, allowCode: true } })
    expect(loaded).toEqual(['./mine.mjs'])
    expect(tensors).toEqual(await mergeTo('linear', `merge_method: linear\n${two}`))
  })
})

test('the plan says of each tensor by which method, the card how many each has', async () => {
  const { plan, out } = await mergeIn(
    folder.path,
    `merge_method: [{filter: self_attn, value: dare_ties}, {value: linear}]\n${two}`,
  )
  const byName = plan.tensors.map(({ name, operation }) => [name.includes('self_attn'), methodOf(plan, operation)])
  expect(byName.every(([isAttention, method]) => method === (isAttention ? 'dare_ties' : 'linear'))).toBe(true)
  expect(listMethods(plan)).toEqual(['linear', 'dare_ties'])
  const card = await readFile(join(out, 'README.md'), 'utf8')
  const count = plan.tensors.filter(({ name }) => name.includes('self_attn')).length
  expect(card).toContain(`## Methods\n\n- ${plan.tensors.length - count} tensors: **linear**`)
  expect(card).toContain(`\n- ${count} tensors: **dare_ties**`)
  expect(card).not.toContain('Random seed')
})

test('another method for some of the tensors makes another output, which an interrupted one is not taken for', async () => {
  const [one, other] = await Promise.all(
    ['slerp', 'ties'].map((method) =>
      planIn(folder.path, `merge_method: [{filter: mlp, value: ${method}}, {value: linear}]\n${two}`),
    ),
  )
  expect(one!.method).toBe(other!.method)
  const code = { methods: builtinMethods, runtime: referenceRuntime }
  const [before, after] = await Promise.all([one!, other!].map((plan) => readPlanIdentity(plan, code)))
  expect(after!.elements).not.toBe(before!.elements)
  const edited = new Map([...builtinMethods, ['slerp', { ...builtinMethods.get('slerp')!, code: 'edited' }]])
  expect((await readPlanIdentity(one!, { ...code, methods: edited })).elements).not.toBe(before!.elements)
  expect((await readPlanIdentity(other!, { ...code, methods: edited })).elements).toBe(after!.elements)
})
