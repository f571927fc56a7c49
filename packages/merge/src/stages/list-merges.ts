import {
  type ConfigPath,
  listReferences,
  listSummands,
  type ModelReference,
  type NamedModel,
  sameModel,
} from '@mk/config'
import type { ReadRecipe } from '../prepare/read-recipe.ts'
import { sumRecipe } from './sum-recipe.ts'

/** A merge that others are made of. */
export interface StageRecipe {
  /** Its name in the recipe, or a sum of models written out: none has that of another. */
  readonly name: string
  /** How others name it. */
  readonly reference: ModelReference
  readonly recipe: Pick<ReadRecipe, 'config' | 'locate'>
  /** Whether it is a sum within another recipe. */
  readonly isSum: boolean
}

/**
 * Lists the merges that the recipes of a file need, each after those that it is made of: the named ones, and sums of models where they
 * stand. Equal sums are one.
 * @param recipes each after those that it is made of
 */
export function listStages(recipes: readonly Pick<ReadRecipe, 'config' | 'locate'>[]): readonly StageRecipe[] {
  const stages: StageRecipe[] = []
  const addSums = ({ reference, path }: NamedModel, recipe: Pick<ReadRecipe, 'config' | 'locate'>): void => {
    const { sum } = reference
    if (sum === undefined) return
    for (const part of partsOf(sum, path)) addSums(part, recipe)
    if (stages.some((stage) => sameModel(stage.reference, reference))) return
    const namesakes = stages.filter(({ reference: other }) => other.path === reference.path).length
    stages.push({
      name: namesakes === 0 ? reference.path : `${reference.path} (${namesakes + 1})`,
      reference,
      recipe: { ...recipe, config: sumRecipe(sum, path, recipe.config.missing) },
      isSum: true,
    })
  }
  for (const recipe of recipes) {
    for (const named of listReferences(recipe.config)) addSums(named, recipe)
    const { name } = recipe.config
    if (name !== undefined) stages.push({ name, reference: { path: name, adapters: [] }, recipe, isSum: false })
  }
  return stages
}

const partsOf = ({ base, plus }: NonNullable<ModelReference['sum']>, path: ConfigPath): NamedModel[] => [
  { reference: base, path: [...path, 'base'] },
  ...plus.map(({ model }, index) => ({ reference: model, path: [...path, 'plus', index, 'model'] })),
]

/** Leaves out the recipes that the last one is not made of. */
export function usedRecipes<T extends Pick<ReadRecipe, 'config'>>(recipes: readonly T[]): readonly T[] {
  const used = new Set<string>()
  return recipes
    .toReversed()
    .filter(({ config }) => {
      if (config.name !== undefined && !used.has(config.name)) return false
      for (const { reference } of listReferences(config).flatMap(listSummands)) used.add(reference.path)
      return true
    })
    .toReversed()
}
