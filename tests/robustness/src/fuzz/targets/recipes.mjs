import { join } from 'node:path'
import { parseConfig } from '@mk/config'
import { prepareMerge } from '@mk/merge'
import { builtinMethods } from '@mk/methods'
import { parse } from 'yaml'
import { promise } from '../broken-promise.mjs'
import { goldenRecipes } from '../golden-models.mjs'
import { mutateJson, stringify } from '../mutate-json.mjs'
import { mutateText } from '../mutate-text.mjs'

const make = (recipes) => (random) => {
  const text = random.pick(recipes)
  return random.chance(0.5) ? mutateText(random, text) : stringify(mutateJson(random, parse(text)))
}

/** Recipes, read; every place that they may name is a place in their text. */
export const recipeText = {
  name: 'recipe-text',
  extension: 'yml',
  async open() {
    return {
      make: make(goldenRecipes()),
      check(bytes) {
        const text = bytes.toString()
        const { config, locate } = parseConfig(text, { file: 'recipe.yml' })
        const lineCount = text.split('\n').length
        for (const path of [
          [],
          ['merge_method'],
          ['models'],
          ...Object.keys(config.models ?? {}).map((index) => ['models', Number(index)]),
        ]) {
          const { line = 1 } = locate(path) ?? {}
          promise(line >= 1 && line <= lineCount, 'a place is outside of the text')
        }
      },
    }
  },
}

/** Recipes, planned. */
export const recipePlan = {
  name: 'recipe-plan',
  extension: 'yml',
  async open({ folder }) {
    return {
      make: make(goldenRecipes().filter((text) => !/\borg\//.test(text))),
      check: (bytes) =>
        prepareMerge({
          text: bytes.toString(),
          methods: builtinMethods,
          hub: { environment: { HF_HUB_OFFLINE: '1', HF_HOME: folder } },
          file: join(folder, 'recipe.yml'),
        }),
    }
  },
}
