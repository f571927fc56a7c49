import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectIssue } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { prepareMerge } from '../node/prepare-merge.ts'

const folder = useFolder()
/** Plans where no hub answers. */
const plan = (text: string) =>
  prepareMerge({
    text,
    file: join(folder.path, 'recipe.yml'),
    hub: { environment: { HF_ENDPOINT: 'http://127.0.0.1:9', HF_HOME: folder.path } },
  })

const recipe = (...models: string[]) =>
  `merge_method: linear\nparameters: {weight: 1}\nmodels:\n${models.map((model) => `  - model: ${model}\n`).join('')}`

const linesOf = (message: string) => message.replaceAll(`${folder.path}/`, '').split('\n')

describe('models that are not there are named at once, each with its place', () => {
  test('paths, before anything else is said of the models that are', async () => {
    await writeLlamas(folder.path, { base: {}, other: { hidden: 6 } })
    const text = recipe('./bas', 'base', './othre', 'other')
    const message = await expectIssue(plan(text), 'recipe-faults')
    expect(linesOf(message).map((line) => line.split(';').slice(0, 2).join(';'))).toEqual([
      'recipe.yml:4:12: ./bas: there is no such folder or file; did you mean ./base?',
      'recipe.yml:6:12: ./othre: there is no such folder or file; did you mean ./other?',
    ])
  })

  test('names that could be those of the hub, which can not be asked', async () => {
    await writeLlamas(folder.path, { 'models/base': {} })
    const text = recipe('models/bas', 'models/bse')
    const message = await expectIssue(plan(text), 'models-unreachable')
    expect(linesOf(message)).toEqual([
      expect.stringMatching(/^recipe\.yml:4:12: models\/bas: there is no such folder; did you mean models\/base\?/),
      expect.stringMatching(/^recipe\.yml:5:12: models\/bse: there is no such folder; did you mean models\/base\?/),
    ])
  })

  test('one of each', async () => {
    await writeLlamas(folder.path, { 'models/base': {} })
    const text = recipe('models/bas', './models/bse', 'models/base')
    const message = await expectIssue(plan(text), 'recipe-faults')
    expect(linesOf(message).map((line) => line.split(': ')[1])).toEqual(['models/bas', './models/bse'])
  })
})
