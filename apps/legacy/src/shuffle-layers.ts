import type { ModelArgument } from '@mk/cli'
import { randomKey } from '@mk/tensor'
import { uniformAt } from '@mk/tensor/runtime'
import { LegacyError } from './errors.ts'

/** Layers of one output: more than any model has, and few enough for a recipe. */
const mostLayers = 10_000

/** A model whose layers are shuffled with those of others. */
export interface ShuffledModel {
  /** As a recipe names it. */
  readonly model: ModelArgument
  readonly layerCount: number
}

/** Names a model for people. */
export const nameOf = (model: ModelArgument): string => (typeof model === 'string' ? model : model.model.path)

interface ShuffleOptions {
  /** One for each model; none for equal ones. */
  readonly weights: readonly number[]
  readonly seed: number
  /** Take any layers in any order, instead of one of the layers of each number. */
  readonly fullRandom?: boolean
  readonly fp16?: boolean
}

/** Some layers of one model: [start, end). */
interface LayerRun {
  readonly model: ModelArgument
  readonly start: number
  readonly end: number
}

/**
 * Draws a stack of layers, as a recipe for `mergekit-yaml`: the same for the same seed on every machine.
 *
 * - In order: layer i is layer i of one of the models, drawn with probabilities in proportion to the weights.
 * - Fully random: of each model ⌊layers · weight⌋ layers, each any of all its layers, in any order.
 * @returns a configuration as plain data
 * @throws LegacyError
 */
export function shuffleLayers(models: readonly ShuffledModel[], options: ShuffleOptions): Record<string, unknown> {
  const weights = checkWeights(models, options.weights)
  const runs = options.fullRandom
    ? anyLayers(models, weights, createDice(options.seed, 'any'))
    : inOrder(models, weights, createDice(options.seed, 'in-order'))
  return {
    merge_method: 'passthrough',
    slices: joined(runs).map(({ model, start, end }) => ({ sources: [{ model, layer_range: [start, end] }] })),
    ...(options.fp16 && { dtype: 'float16' }),
  }
}

function checkWeights(models: readonly ShuffledModel[], given: readonly number[]): readonly number[] {
  if (models.length === 0) throw new LegacyError({ code: 'shuffle-models' })
  if (given.length === 0) return models.map(() => 1 / models.length)
  if (given.length !== models.length)
    throw new LegacyError({ code: 'shuffle-weights', found: given.length, modelCount: models.length })
  const most = Math.max(...given)
  given.forEach((weight, index) => {
    if (weight < 0 || most === 0)
      throw new LegacyError({ code: 'shuffle-weight', model: nameOf(models[index]!.model), weight })
  })
  return given
}

/** Draws numbers in [0, 1), one after another. */
function createDice(seed: number, mode: string): () => number {
  const key = randomKey(seed, `mergekit-layershuffle ${mode}`, 0)
  let index = 0
  return () => uniformAt(key, index++)
}

function inOrder(models: readonly ShuffledModel[], weights: readonly number[], dice: () => number): LayerRun[] {
  const [first] = models as [ShuffledModel]
  const other = models.find(({ layerCount }, index) => layerCount !== first.layerCount && weights[index]! > 0)
  if (other !== undefined)
    throw new LegacyError({
      code: 'shuffle-layers',
      model: nameOf(other.model),
      found: other.layerCount,
      first: nameOf(first.model),
      expected: first.layerCount,
    })
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return Array.from({ length: first.layerCount }, (_, layer) => {
    let rest = dice() * total
    const drawn = weights.findIndex((weight) => (rest -= weight) < 0)
    // What rounding leaves over is the last one's that can be drawn.
    const { model } = models[drawn >= 0 ? drawn : weights.findLastIndex((weight) => weight > 0)]!
    return { model, start: layer, end: layer + 1 }
  })
}

function anyLayers(models: readonly ShuffledModel[], weights: readonly number[], dice: () => number): LayerRun[] {
  const below = (count: number) => Math.floor(dice() * count)
  const counts = models.map(({ layerCount }, index) => wholePart(layerCount * weights[index]!))
  const found = counts.reduce((sum, count) => sum + count, 0)
  if (found > mostLayers) throw new LegacyError({ code: 'shuffle-too-many', found, most: mostLayers, weights })
  const runs = models.flatMap(({ model, layerCount }, index) =>
    Array.from({ length: counts[index]! }, () => {
      const start = below(layerCount)
      return { model, start, end: start + 1 }
    }),
  )
  if (runs.length === 0)
    throw new LegacyError({ code: 'shuffle-nothing', layerCounts: models.map(({ layerCount }) => layerCount), weights })
  // Fisher and Yates.
  for (let last = runs.length - 1; last > 0; last--) {
    const other = below(last + 1)
    const run = runs[last]!
    runs[last] = runs[other]!
    runs[other] = run
  }
  return runs
}

/** 3 layers of 10 · 0.3, though that is 2.9999999999999996 in floating point elsewhere. */
const wholePart = (value: number): number => Math.floor(value + 1e-9)

/** Writes layers of a model that follow one another there as one slice. */
function joined(runs: readonly LayerRun[]): LayerRun[] {
  const slices: LayerRun[] = []
  for (const run of runs) {
    const last = slices.at(-1)
    if (last?.model === run.model && last.end === run.start) slices[slices.length - 1] = { ...last, end: run.end }
    else slices.push(run)
  }
  return slices
}
