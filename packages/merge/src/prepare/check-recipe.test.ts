import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { prepareIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()

/** The lines of the error that preparing ends with, models being nowhere. */
async function faultsOf(text: string): Promise<string[]> {
  const error: unknown = await prepareIn(folder.path, text).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return (error as Error).message.replaceAll(`${folder.path}/`, '').split('\n')
}

async function warningsOf(text: string, lenient = false): Promise<string[]> {
  await writeLlamas(folder.path, { a: {}, b: {}, base: {} })
  const { warnings } = await prepareIn(folder.path, text, { lenient })
  return warnings.map((line) => line.replaceAll(`${folder.path}/`, ''))
}

describe('all faults of a recipe come at once, before a model is opened', () => {
  test('of keys, names, types and ranges, in the order of the file', async () => {
    const faults = await faultsOf(`merge_method: ties
base_model: ./nowhere
models:
  - model: ./nobody
    parameters: {wieght: 1, density: abc}
  - model: ./none
    parameters:
      weight: [1, 2]
      density: [{filter: mlp, value: -1}]
    revision: v1
parameters: {lamda: 1, consensus_method: most}
dtyp: float16
`)
    expect(faults.map((line) => line.split(/; |, expected/)[0])).toEqual(
      [
        `recipe.yml:5:18: ties has no parameter 'wieght'`,
        `recipe.yml:5:38: the parameter 'density' of model ./nobody of ties is 'abc'`,
        `recipe.yml:9:38: the parameter 'density' of model ./none of ties is -1`,
        `recipe.yml:10:5: unknown key 'revision' in models[1]`,
        `recipe.yml:11:14: ties has no parameter 'lamda'`,
        `recipe.yml:11:42: the parameter 'consensus_method' of ties is 'most'`,
        `recipe.yml:12:1: unknown key 'dtyp' in the config`,
      ].map((line) => expect.stringContaining(line.slice(line.indexOf(' ') + 1))),
    )
    expect(faults.every((line) => /^recipe\.yml:\d+:\d+: /.test(line))).toBe(true)
  })

  test('of a mapping that is no setting only that its name is none', async () => {
    expect(
      await faultsOf(
        'merge_method: dare_ties\nbase_model: b\nmodels: [{model: a, parameters: {weight: 1, dare: {drop_rate: 0.9}}}]',
      ),
    ).toEqual([
      `recipe.yml:3:45: dare_ties has no parameter 'dare'; what is kept is density: 1 less the share that is dropped`,
    ])
  })

  test('of a method that is misspelled also the parameters of the one that is meant', async () => {
    expect(await faultsOf('merge_method: tis\nbase_model: b\nmodels: [{model: a, parameters: {wieght: 1}}]')).toEqual([
      `recipe.yml:1:15: there is no merge method 'tis'; did you mean 'ties'?`,
      `recipe.yml:3:34: ties has no parameter 'wieght'; did you mean 'weight'?`,
    ])
  })

  test('of a block with an anchor once', async () => {
    expect(
      await faultsOf(
        'merge_method: linear\nmodels:\n- {model: a, parameters: &p {wieght: 1}}\n- {model: b, parameters: *p}',
      ),
    ).toEqual([`recipe.yml:3:30: linear has no parameter 'wieght'; did you mean 'weight'?`])
  })

  test.each([
    ['dtype: float16', 'it stands at the top level of the recipe'],
    ['temperature: 1', `it has weight, normalize`],
    ['normalize: true, 5', 'a decimal number has a point'],
    ['coefficient: 1', `did you mean 'weight'?`],
  ])('%s among the parameters: %s', async (setting, hint) => {
    expect(await faultsOf(`merge_method: linear\nmodels: [{model: a, parameters: {weight: 1, ${setting}}}]`)).toEqual([
      expect.stringContaining(hint),
    ])
  })
})

describe('where the caller is lenient', () => {
  test('parameters that no method has are warnings, and the merge is planned', async () => {
    const recipe = `merge_method: linear\nmodels:\n- {model: a, parameters: {weight: 1, heaviness: 2}}\nparameters: {memory: {size: 3}}\n`
    expect(await warningsOf(recipe, true)).toEqual([
      `recipe.yml:4:14: ignored: linear has no parameter 'memory'; it has weight, normalize`,
      `recipe.yml:3:38: ignored: linear has no parameter 'heaviness'; it has weight, normalize`,
    ])
  })

  test.each([
    '{drop_rate: 0.9}',
    '{drop_rate: {of: [1, {a: b}]}}',
    '[]',
    '',
    '.nan',
    '[{filter: mlp}, 3]',
    '[high, low]',
  ])('the value of such a parameter is no matter: dare: %s', async (value) => {
    const recipe = `merge_method: dare_ties\nbase_model: base\nparameters:\n  dare: ${value}\n  weight: 1\nmodels: [{model: a}]\n`
    expect(await warningsOf(recipe, true)).toEqual([
      `recipe.yml:4:3: ignored: dare_ties has no parameter 'dare'; what is kept is density: 1 less the share that is dropped`,
    ])
    await expect(
      prepareIn(folder.path, recipe.replace('weight: 1', 'int8_mask: true'), { lenient: true }),
    ).rejects.toMatchObject({ code: 'missing-parameter' })
  })

  test('wrong values stay errors', async () => {
    await expect(
      prepareIn(folder.path, 'merge_method: linear\nmodels: [{model: a, parameters: {weight: heavy, x: 1}}]', {
        lenient: true,
      }),
    ).rejects.toMatchObject({ code: 'invalid-parameter' })
  })
})

describe('a value that can hardly be meant is a warning that says what may be', () => {
  test.each([
    [
      'density: 50',
      'recipe.yml:3:55',
      `'density' is 50, usual is from 0 to 1 (Share of the changes that is kept: 1 all, 0 none); if 50 % is meant, write 0.5`,
    ],
    ['density: [0.5, 50]', 'recipe.yml:3:61', `'density' is 50`],
    ['density: [{filter: mlp, value: 30}]', 'recipe.yml:3:76', `write 0.3`],
    ['weight: 400', 'recipe.yml:3:53', ''],
  ])('%s', async (setting, place, text) => {
    const method = setting.startsWith('weight') ? 'task_arithmetic' : 'ties'
    const weight = setting.startsWith('weight') ? '' : 'weight: 1, '
    const warnings = await warningsOf(
      `merge_method: ${method}\nbase_model: base\nmodels: [{model: a, parameters: {${weight}${setting}}}]`,
    )
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(`${text}`)
    expect(warnings[0]).toMatch(new RegExp(`^${place.split(':').slice(0, 2).join(':')}:\\d+: ${method}: `))
  })

  test.each([
    ['slerp', 't: 1.5', 1],
    ['slerp', 't: -0.1', 1],
    ['slerp', 't: [0, 50]', 1],
    ['slerp', 't: 1', 0],
    ['nearswap', 't: 1.5', 0],
  ])('%s with %s', async (method, setting, count) => {
    const recipe = `merge_method: ${method}\nbase_model: base\nmodels: [{model: a}]\nparameters: {${setting}}`
    const doubts = (await warningsOf(recipe)).filter((line) => line.includes('usual is'))
    expect(doubts).toHaveLength(count)
  })

  test('but percentages as weights of an average are fine', async () => {
    expect(
      await warningsOf(
        'merge_method: linear\nmodels: [{model: a, parameters: {weight: 60}}, {model: b, parameters: {weight: 40}}]',
      ),
    ).toEqual([])
  })
})

describe('a model named twice', () => {
  test('in a list is a warning, however its folder is written', async () => {
    expect(
      await warningsOf(
        'merge_method: linear\nparameters: {weight: 1}\nmodels:\n- model: a\n- model: b\n- model: ./a/\n',
      ),
    ).toEqual(['recipe.yml:6:10: ./a/ is named twice, first at recipe.yml:4:10: it is merged with itself'])
  })

  test('by another path, or by a link, is a warning once it is open', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await symlink(join(folder.path, 'a'), join(folder.path, 'link'))
    const models = ['a', 'b', 'link', join(folder.path, 'b')].map((model) => `{model: ${model}}`).join(', ')
    const { warnings } = await prepareIn(
      folder.path,
      `merge_method: linear\nparameters: {weight: 1}\nmodels: [${models}]\n`,
    )
    expect(warnings.map((line) => line.replaceAll(`${folder.path}/`, ''))).toEqual([
      'recipe.yml:3:42: link is the same folder as a: it is merged with itself',
      'recipe.yml:3:57: b is the same folder as b: it is merged with itself',
    ])
  })

  test('with other layers, or in another slice, is none', async () => {
    const source = (range: string) => `{model: a, layer_range: ${range}}`
    expect(
      await warningsOf(
        `merge_method: linear\nparameters: {weight: 1}\nslices:\n- sources: [${source('[0, 1]')}, ${source('[1, 2]')}]\n- sources: [${source('[0, 1]')}]\n`,
      ),
    ).toEqual([])
  })
})
