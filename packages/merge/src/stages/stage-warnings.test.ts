import { builtinMethods, defineMethod } from '@mk/methods'
import { expect, test } from 'vitest'
import { mergeIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()

test('what a method warns of names the merge that it warns in, and the tensor once', async () => {
  const wary = defineMethod({
    name: 'wary',
    summary: 'Warns.',
    base: 'none',
    models: { min: 1 },
    parameters: { perModel: {}, methodWide: {} },
    merge({ models }, _, context) {
      if (context.tensorName === 'model.norm.weight') context.warn('beware')
      return models[0]!
    },
  })
  await writeLlamas(folder.path, { a: {}, b: {} })
  const text =
    'name: inner\nmerge_method: wary\nmodels: [{model: a}]\n---\nmerge_method: linear\nparameters: {weight: 1}\nmodels: [{model: inner}, {model: b}]'
  const warnings: string[] = []
  await mergeIn(folder.path, text, {
    prepare: { methods: new Map(builtinMethods).set('wary', wary) },
    onWarning: (message) => warnings.push(message),
  })
  expect(warnings).toEqual(['inner: model.norm.weight: beware'])
})
