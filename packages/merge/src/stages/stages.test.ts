import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectIssue, mergeIn } from '../__fixtures__/merge.ts'
import { prepareMerge } from '../node/prepare-merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()
const two = (name: string, method: string, models: string, more = '') =>
  `${name === '' ? '' : `name: ${name}\n`}merge_method: ${method}\nmodels: ${models}\n${more}`
const stages = (...recipes: readonly string[]) => recipes.join('---\n')

test('a chain gives what merging stage by stage gives', async () => {
  await writeLlamas(folder.path, { a: {}, b: {}, c: {} })
  const first = two('first', 'linear', '[{model: a}, {model: b}]', 'parameters: {weight: 1}\n')
  const last = two('', 'slerp', '[{model: first}, {model: c}]', 'base_model: first\nparameters: {t: 0.3}\n')
  await mergeIn(folder.path, first, { out: join(folder.path, 'first') })
  const { tensors: expected } = await mergeIn(folder.path, last, { out: join(folder.path, 'x') })
  const { tensors, plan } = await mergeIn(folder.path, stages(first, last).replaceAll('first', 'inner'), {
    out: join(folder.path, 'y'),
  })
  expect(tensors).toEqual(expected)
  expect(plan.stages!.map(({ name }) => name)).toEqual(['inner'])
})

/** Merges the recipes one by one into folders of their names, and all of them at once. */
async function bothWays(recipes: Readonly<Record<string, string>>, options: Parameters<typeof mergeIn>[2] = {}) {
  const { prepare, ...run } = options
  const names = Object.keys(recipes)
  let staged: Awaited<ReturnType<typeof mergeIn>> | undefined
  for (const name of names)
    staged = await mergeIn(folder.path, recipes[name]!, { ...run, out: join(folder.path, name) })
  const text = stages(
    ...names.map((name, index) =>
      index < names.length - 1 ? `name: ${name}-inner\n${recipes[name]}` : recipes[name]!,
    ),
  )
  const renamed = names
    .slice(0, -1)
    .reduce(
      (all, name) =>
        all.replaceAll(new RegExp(`(?<=model: |base_model: |base: )${name}(?=[,}\\n+])`, 'g'), `${name}-inner`),
      text,
    )
  const atOnce = await mergeIn(folder.path, renamed, {
    ...run,
    out: join(folder.path, 'at-once'),
    prepare: { roundIntermediates: true, ...prepare },
  })
  return { staged: staged!, atOnce }
}

test('a diamond of methods with reductions and random masks gives the bytes of stages', async () => {
  await writeLlamas(folder.path, { a: {}, b: {}, c: {}, d: {} })
  const { staged, atOnce } = await bothWays({
    root: two(
      '',
      'dare_ties',
      '[{model: b}, {model: c}]',
      'base_model: a\nparameters: {weight: 0.5, density: 0.6}\ndtype: bfloat16\n',
    ),
    left: two(
      '',
      'ties',
      '[{model: root}, {model: d}]',
      'base_model: a\nparameters: {weight: 1, density: 0.5}\ndtype: float16\n',
    ),
    right: two(
      '',
      'della',
      '[{model: root}, {model: b}]',
      'base_model: a\nparameters: {weight: 1, density: 0.5}\ndtype: bfloat16\n',
    ),
    last: two(
      '',
      'breadcrumbs',
      '[{model: left}, {model: right}]',
      'base_model: root\nparameters: {weight: 1, density: 0.7}\ndtype: float32\n',
    ),
  })
  expect(atOnce.tensors).toEqual(staged.tensors)
})

test('a recipe that the output is not made of is planned only where that is asked for', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  const text = stages(
    two('used', 'passthrough', '[{model: a}]'),
    two('idle', 'passthrough', '[{model: b}]'),
    two('', 'passthrough', '[{model: used}]'),
  )
  const planned = async (options: object, recipes = text) => {
    const { stages: found, warnings } = await prepareMerge({ text: recipes, roots: [folder.path], ...options })
    const told = warnings.filter((line) => line.includes('nothing of the output is made of'))
    return [...found.map(({ name }) => name), ...told.map((line) => line.replace(/^.*: /, ''))]
  }
  expect(await planned({})).toEqual(['used', "nothing of the output is made of 'idle'; it is not merged"])
  expect(await planned({ withUnused: true })).toEqual(['used', 'idle'])
  const named = stages(two('used', 'passthrough', '[{model: a}]'), two('idle', 'passthrough', '[{model: b}]'))
  expect(await planned({ allNamed: true }, named)).toEqual(['used', 'idle'])
})

test('slices stack merges', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  const { staged, atOnce } = await bothWays({
    first: two('', 'linear', '[{model: a}, {model: b}]', 'parameters: {weight: [0.25, 1]}\ndtype: bfloat16\n'),
    stack:
      'merge_method: passthrough\nslices: [{sources: [{model: first, layer_range: [0, 2]}]}, {sources: [{model: a, layer_range: [1, 2]}]}, {sources: [{model: first, layer_range: [0, 2]}]}]\n',
    last: two('', 'passthrough', '[{model: stack}]', 'parameters: {scale: 0.5}\n'),
  })
  expect(atOnce.tensors).toEqual(staged.tensors)
  expect(Object.keys(atOnce.tensors).filter((name) => name.includes('q_proj'))).toHaveLength(5)
})

test('a sum of models is a model', async () => {
  await writeLlamas(folder.path, { a: {}, b: {}, c: {} })
  const models = '[{model: {base: a, plus: [{model: b, weight: 0.5}, {model: a, weight: -0.5}]}}, {model: c}]'
  const { tensors, plan } = await mergeIn(folder.path, two('', 'linear', models, 'parameters: {weight: 1}\n'))
  const [a, b, c] = await Promise.all(
    ['a', 'b', 'c'].map(
      async (name) =>
        (
          await mergeIn(folder.path, two('', 'passthrough', `[{model: ${name}}]`), {
            out: join(folder.path, `copy-${name}`),
          })
        ).tensors,
    ),
  )
  for (const [name, { values }] of Object.entries(tensors))
    values.forEach((value, index) => {
      const [x, y, z] = [a, b, c].map((each) => each![name]!.values[index]!) as [number, number, number]
      expect(value).toBeCloseTo((x + 0.5 * (y - x) + z) / 2, 5)
    })
  expect(plan.inputs[0]!.label).toBe('a + 0.5 · b - 0.5 · a')
})

test('a head of a merge is not taken for its embedding where the base ties the two', async () => {
  await writeLlamas(folder.path, { a: { tied: true }, b: {}, c: {} })
  const inner = two('inner', 'linear', '[{model: b}, {model: c}]', 'parameters: {weight: 1}\n')
  const last = two('', 'slerp', '[{model: inner}]', 'base_model: a\nparameters: {t: 0.5}\n')
  const { plan, tensors } = await mergeIn(folder.path, stages(inner, last))
  expect(Object.keys(tensors)).toContain('lm_head.weight')
  expect(plan.notes).toContainEqual(expect.stringContaining('but the head of inner is another matrix'))
})

test('a chain that was interrupted goes on, and ends with the same bytes', async () => {
  await writeLlamas(folder.path, { a: {}, b: {}, c: {} })
  const inner = two(
    'inner',
    'ties',
    '[{model: b}, {model: c}]',
    'base_model: a\nparameters: {weight: 1, density: 0.5}\n',
  )
  const text = stages(inner, two('', 'linear', '[{model: inner}, {model: c}]', 'parameters: {weight: 1}\n'))
  const whole = await mergeIn(folder.path, text, { out: join(folder.path, 'whole') })
  const stop = new AbortController()
  const onProgress = ({ finishedTensors }: { readonly finishedTensors: number }) => {
    if (finishedTensors === 3) stop.abort()
  }
  await expectIssue(mergeIn(folder.path, text, { signal: stop.signal, onProgress }), 'interrupted')
  const { tensors, result } = await mergeIn(folder.path, text)
  expect(result.resumedTensors).toBeGreaterThan(0)
  expect(tensors).toEqual(whole.tensors)
})
