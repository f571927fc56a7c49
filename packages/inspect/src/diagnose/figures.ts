import { cosineOf, ratio } from '../measure/describe-difference.ts'
import { type Gram, standardError } from '../measure/gram.ts'
import { viewGram } from '../measure/gram-sums.ts'
import type { DiagnosedModel, DiagnosedPair, ModelFigures, PairFigures } from './diagnosis.ts'
import { addSums, type ModelSums, modelSums, type PairSums, pairSums } from './pair-sums.ts'

/** Tensors that are made of the same inputs in the same order, and what was added up of all of them. */
export interface MeasuredPart {
  /** What the inputs are called, the base first where there is one. */
  readonly labels: readonly string[]
  readonly hasBase: boolean
  readonly gram: Gram
}

/** What is known of models and of any two of them. */
interface Figures {
  readonly models: readonly DiagnosedModel[]
  readonly pairs: readonly DiagnosedPair[]
  /** By the model's name; null as in a diagnosis. */
  readonly weights: Readonly<Record<string, number>> | null
}

/** Figures with how far off they may be. */
export interface EstimatedFigures extends Figures {
  readonly weightStandardErrors: Readonly<Record<string, number>> | null
  /** The figures by each of the replicates of what was estimated; none where all was read. */
  readonly replicates: readonly Figures[]
}

/** Adds up parts of equal inputs. */
export function addParts(parts: readonly MeasuredPart[]): MeasuredPart[] {
  const totals = new Map<string, MeasuredPart>()
  for (const part of parts) {
    const key = JSON.stringify([part.hasBase, part.labels])
    const total = totals.get(key)
    totals.set(key, total === undefined ? part : { ...total, gram: addGrams(total.gram, part.gram) })
  }
  return [...totals.values()]
}

function addGrams(a: Gram, b: Gram): Gram {
  const add = (x: Float64Array, y: Float64Array) => x.map((value, index) => value + y[index]!)
  const sampled = a.replicates.length > 0 ? a : b
  return {
    elementCount: a.elementCount + b.elementCount,
    readElements: a.readElements + b.readElements,
    values: add(a.values, b.values),
    replicates: sampled.replicates.map((_, index) =>
      add(a.replicates[index] ?? a.values, b.replicates[index] ?? b.values),
    ),
    nonFinite: a.nonFinite.map((count, index) => count + b.nonFinite[index]!),
  }
}

/** Describes models and pairs over all of the parts that each has a part in, and estimates how far off that may be. */
export function describeFigures(parts: readonly MeasuredPart[]): EstimatedFigures {
  const found = figuresOf(parts, ({ values }) => values)
  const count = Math.max(...parts.map(({ gram }) => gram.replicates.length))
  const replicates = Array.from({ length: count }, (_, index) =>
    figuresOf(parts, ({ values, replicates: others }) => others[index] ?? values),
  )
  const weights =
    found.weights &&
    Object.fromEntries(Object.entries(found.weights).map(([model, weight]) => [model, rounded(weight)]))
  if (count === 0) return { ...found, weights, weightStandardErrors: null, replicates }
  const errorOf = (figure: number | null, of: (figures: Figures) => number | null) =>
    figure === null
      ? null
      : standardError(
          figure,
          replicates.map((each) => of(each) ?? figure),
        )
  return {
    models: found.models.map((model, index) => {
      const error = (key: keyof ModelFigures) => errorOf(model[key], ({ models }) => models[index]![key])
      const standardErrors = {
        norm: error('norm')!,
        change: error('change'),
        relative: error('relative'),
        cosine: error('cosine'),
      }
      return { ...model, standardErrors }
    }),
    pairs: found.pairs.map((pair, index) => {
      const error = (of: (each: PairFigures) => number | null) => errorOf(of(pair), ({ pairs }) => of(pairs[index]!))
      const changes = pair.changes && {
        cosine: error((each) => each.changes!.cosine),
        conflicts: error((each) => each.changes!.conflicts),
      }
      return {
        ...pair,
        standardErrors: { apart: error((each) => each.apart), cosine: error((each) => each.cosine), changes },
      }
    }),
    weights,
    weightStandardErrors:
      found.weights &&
      Object.fromEntries(
        Object.entries(found.weights).map(([model, weight]) => [
          model,
          errorOf(weight, (each) => each.weights?.[model] ?? null)!,
        ]),
      ),
    replicates,
  }
}

function figuresOf(parts: readonly MeasuredPart[], valuesOf: (gram: Gram) => Float64Array): Figures {
  const models = new Map<string, { sums: ModelSums; hasBase: boolean }>()
  const pairs = new Map<string, { named: readonly [string, string]; sums: PairSums; hasBase: boolean }>()
  for (const { labels, hasBase, gram } of parts) {
    const own = hasBase ? labels.slice(1) : labels
    const sums = { ...gram, ...viewGram(valuesOf(gram), labels.length, hasBase) }
    for (const [index, ofModel] of modelSums(sums, hasBase).entries()) {
      const label = own[index]!
      models.set(label, { sums: addSums(models.get(label)?.sums, ofModel), hasBase })
    }
    for (const { x, y, sums: ofPair } of pairSums(sums, hasBase)) {
      const named = [own[x]!, own[y]!] as const
      const key = JSON.stringify(named)
      pairs.set(key, { named, sums: addSums(pairs.get(key)?.sums, ofPair), hasBase })
    }
  }
  const described = [...models].map(([label, { sums, hasBase }]) => describeModel(label, sums, hasBase))
  return {
    models: described,
    pairs: [...pairs.values()].map(({ named, sums, hasBase }) => describePair(named, sums, hasBase)),
    weights: weightsByNorm(described),
  }
}

function describeModel(model: string, { elementCount, ...sums }: ModelSums, hasBase: boolean): DiagnosedModel {
  const change = hasBase ? Math.sqrt(Math.max(0, sums.dd)) : null
  return {
    model,
    elementCount,
    norm: Math.sqrt(Math.max(0, sums.xx)),
    change,
    relative: change === null ? null : ratio(change, Math.sqrt(Math.max(0, sums.cc))),
    cosine: hasBase ? cosineOf(sums.xc, sums.xx, sums.cc) : null,
    nonFinite: sums.nonFinite,
    standardErrors: null,
  }
}

const describePair = (models: readonly [string, string], sums: PairSums, hasBase: boolean): DiagnosedPair => ({
  models,
  apart: ratio(Math.sqrt(sums.apart), (Math.sqrt(Math.max(0, sums.xx)) + Math.sqrt(Math.max(0, sums.yy))) / 2),
  cosine: cosineOf(sums.xy, sums.xx, sums.yy),
  changes: hasBase
    ? { cosine: cosineOf(sums.dxy, sums.dxx, sums.dyy), conflicts: ratio(sums.conflicts, sums.both) }
    : null,
  standardErrors: null,
})

const rounded = (weight: number): number => Number(weight.toPrecision(3))

/** The larger a change, the less its weight: all then move the base as far. */
function weightsByNorm(models: readonly DiagnosedModel[]): Readonly<Record<string, number>> | null {
  if (models.length < 2 || models.some(({ change }) => change === null || change === 0)) return null
  const total = models.reduce((sum, { change }) => sum + 1 / change!, 0)
  return Object.fromEntries(models.map(({ model, change }) => [model, 1 / change! / total]))
}
