import { join } from 'node:path'
import { parseConfig } from '@mk/config'
import { prepareMerge } from '@mk/merge'
import { builtinMethods } from '@mk/methods'
import { parseAllDocuments } from 'yaml'
import { formatConfig } from '../../../../../packages/config/src/__fixtures__/format-config.mjs'
import { promise } from '../broken-promise.mjs'
import { goldenRecipes } from '../golden-models.mjs'
import { mutateJson, stringify } from '../mutate-json.mjs'
import { mutateText } from '../mutate-text.mjs'

const make = (recipes) => (random) => {
  const text = random.pick(recipes)
  if (random.chance(0.5)) return mutateText(random, text)
  const documents = parseAllDocuments(text).map((document) => stringify(mutateJson(random, document.toJS())))
  return documents.join('\n---\n')
}

/** Recipes: what is understood can be written, and is then understood as the same. */
export const recipeText = {
  name: 'recipe-text',
  extension: 'yml',
  async open() {
    return {
      make: make(goldenRecipes()),
      check(bytes) {
        const { config, locate } = parseConfig(bytes.toString(), { file: 'recipe.yml' })
        locate(['models', 0])
        const text = formatConfig(config)
        let again
        try {
          again = formatConfig(parseConfig(text).config)
        } catch (error) {
          promise(false, `formatConfig writes what parseConfig refuses: ${error.message}`)
        }
        promise(again === text, 'a formatted recipe is another when it is formatted again')
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
