import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readRecipes } from '@mk/config'
import { layerDepth, parameterBlocks, resolveParameter } from '@mk/params'

const page = readFileSync(new URL('configuration.md', import.meta.url), 'utf8')
const recipes = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text]) => text!)
const layer = (n: number, part: string) => `model.layers.${n}.${part}.weight`

function recipeWith(words: string) {
  const config = readRecipes(recipes.find((text) => text.includes(words))!).recipes[0]!.config!
  const module = config.modules[0]!
  const slice = module.slices[0]!
  return (name: string, tensorName: string, depth: number, source?: number) =>
    resolveParameter(
      name,
      parameterBlocks(config, module, slice, source === undefined ? undefined : slice.sources[source]),
      { tensorName, depth },
    )?.value
}

describe('docs/configuration.md', () => {
  test.for(recipes.map((text) => [text.split('\n', 1)[0]!, text] as const))(
    'a recipe that begins with "%s" has no faults',
    ([, text]) => {
      const { recipes: read, issues } = readRecipes(text)
      expect([...issues, ...read.flatMap((recipe) => [...recipe.issues, ...recipe.warnings])]).toEqual([])
    },
  )

  test('has a recipe for every key at the top', () => {
    const keys = new Set(recipes.flatMap((text) => [...text.matchAll(/^(\w+):/gm)].map(([, key]) => key!)))
    const documented = /## Keys at the top\n([\s\S]*?)\n##/.exec(page)![1]!.matchAll(/^\| (`[^|]*`) \|/gm)
    const names = [...documented].flatMap(([, cell]) => [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name!))
    expect(names).toHaveLength(17)
    expect(names.filter((name) => !keys.has(name))).toEqual([])
  })

  test('a gradient of three numbers has the values that the page says in five layers', () => {
    const value = recipeWith('value: [0, 0.5, 1]')
    const values = [0, 1, 2, 3, 4].map((n) => value('t', layer(n, 'self_attn.q_proj'), layerDepth(n, 5)))
    expect(values).toEqual([0, 0.25, 0.5, 0.75, 1])
    expect(page).toContain(`\`[0, 0.5, 1]\` is ${values.join(', ')}.`)
    expect([value('t', layer(1, 'mlp.up_proj'), 0.25), value('t', 'model.norm.weight', 0)]).toEqual([0.8, 0.5])
  })

  test('a filter that matches nothing leaves the next level to decide', () => {
    const value = recipeWith('filter: mlp\n          value: 0.9')
    expect([0, 1].map((source) => value('weight', layer(0, 'mlp.up_proj'), 0, source))).toEqual([0.9, 0.5])
    expect([0, 1].map((source) => value('weight', layer(0, 'self_attn.q_proj'), 0, source))).toEqual([0.5, 0.5])
  })
})
