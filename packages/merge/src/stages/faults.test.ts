import { existsSync, mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn, prepareIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()
const recipe = (models: string, more = '') =>
  `merge_method: linear\nmodels: [${models}]\nparameters: {weight: 1}\n${more}`
const chain = (inner: string, outer: string) => `name: inner\n${inner}---\n${outer}`

describe('what is wrong with several merges is told before anything is written', () => {
  test('a misspelled name', async () => {
    await writeLlamas(folder.path, { a: {} })
    const message = await expectIssue(
      planIn(folder.path, chain(recipe('{model: a}'), recipe('{model: a}, {model: iner}'))),
      'unknown-merge',
      { name: 'iner', nearest: 'inner' },
    )
    expect(message).toMatch(
      /recipe\.yml:7:30: 'iner' is neither a merge of this file nor a model; did you mean 'inner'\?$/,
    )
  })

  test('the name of a method', async () => {
    const message = await expectIssue(
      planIn(folder.path, `name: ties\n${recipe('{model: a}')}---\n${recipe('{model: ties}')}`),
      'merge-named-as-method',
    )
    expect(message).toContain("recipe.yml:1:7: the merge is called 'ties', which is a merge method")
  })

  test.each(['out_format: gguf', 'out_dtype: q8_0'])('%s of what others are made of', async (line) => {
    await expectIssue(
      planIn(folder.path, chain(recipe('{model: a}', `${line}\n`), recipe('{model: inner}'))),
      'stage-format',
    )
  })

  test('all faults of all recipes at once, in the order of the file', async () => {
    const text = chain(recipe('{model: a, parameters: {wight: 1}}'), recipe('{model: inner}', 'dtype: bf16\n'))
    const message = await planIn(folder.path, text).then(
      () => '',
      (error: Error) => error.message,
    )
    expect(message.split('\n')).toEqual([
      expect.stringContaining("recipe.yml:3:34: linear has no parameter 'wight'"),
      expect.stringContaining('recipe.yml:9:8: dtype is the text'),
    ])
  })

  test('tensors that do not fit', async () => {
    await writeLlamas(folder.path, { a: {}, b: { layers: 3 } })
    await expectIssue(
      mergeIn(folder.path, chain(recipe('{model: a}'), recipe('{model: inner}, {model: b}'))),
      'slice-lengths',
    )
    expect(existsSync(join(folder.path, 'out'))).toBe(false)
  })
})

describe('what may not be meant is told', () => {
  test('a merge that nothing is made of, and a name that a folder has', async () => {
    await writeLlamas(folder.path, { a: {} })
    mkdirSync(join(folder.path, 'used'))
    const text = `name: unused\n${recipe('{model: nowhere}')}---\nname: used\n${recipe('{model: a}')}---\n${recipe('{model: used}')}`
    const { warnings, plan } = await prepareIn(folder.path, text)
    expect(warnings).toEqual([
      expect.stringContaining("'used' is the merge of that name, though there is a folder"),
      expect.stringContaining("recipe.yml:1:7: nothing of the output is made of 'unused'; it is not merged"),
    ])
    expect(plan.stages!.map(({ name }) => name)).toEqual(['used'])
  })

  test('notes and NaN of an inner merge, and the card says what is made of what', async () => {
    await writeLlamas(folder.path, {
      a: { extra: { 'model.layers.0.self_attn.q_proj.weight': { shape: [4, 4], value: () => Number.NaN } } },
      b: { rows: 8 },
    })
    const { plan, result, out } = await mergeIn(
      folder.path,
      chain(recipe('{model: a}, {model: b}'), recipe('{model: inner}', 'out_dtype: float16\n')),
    )
    expect(plan.notes).toContainEqual(expect.stringMatching(/^inner: model\.embed_tokens\.weight of b is cut from/))
    expect(result.nonFinite).toMatchObject([
      { tensor: 'model.layers.0.self_attn.q_proj.weight', inputs: [{ model: 'inner', count: 16 }] },
    ])
    const card = await readFile(join(out, 'README.md'), 'utf8')
    expect(card).toContain('- `inner`\n\n`inner` is a merge by linear:\n\n- `a`\n- `b`\n')
  })
})
