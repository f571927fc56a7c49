import { counted } from '@mk/errors'
import { percent } from '../diff/verdict.ts'
import type { Diagnosis, Finding } from './diagnosis.ts'

/** Of changes to a base: as far apart as this share of the smaller one. Of models without one: of their norm. */
const NEAR = { changes: 0.1, models: 1e-3 }
/** Models that were trained apart have cosines about 0; fine-tunes of one model about 1. */
const SAME_ORIGIN_COSINE = 0.5
/** So many times the median of the others. */
const OUTLIER = 3
/** Half of the signs agree by chance. */
const OPPOSED = 0.55

type Found = Pick<Diagnosis, 'base' | 'models' | 'pairs'>

/** Finds what stands out: broken, equal and foreign models first, then what weighs too much or too little, then what pulls apart. */
export const findFindings = (found: Found): Finding[] => [
  ...found.models.flatMap(({ model, nonFinite }): Finding[] =>
    nonFinite === 0
      ? []
      : [finding('not-finite', [model], `${model} has ${counted(nonFinite, 'element')} that are infinite or NaN`)],
  ),
  ...findUnchanged(found),
  ...findDuplicates(found),
  ...findForeign(found),
  ...findUneven(found),
  ...findOutliers(found),
  ...findOpposed(found),
]

const finding = (code: Finding['code'], models: readonly string[], text: string): Finding => ({ code, models, text })

const findUnchanged = ({ base, models }: Found): Finding[] =>
  models
    .filter(({ change }) => change === 0)
    .map(({ model }) => finding('as-base', [model], `${model} is equal to ${base}: it adds nothing but its weight`))

function findDuplicates({ models, pairs }: Found): Finding[] {
  const changeOf = (label: string) => models.find(({ model }) => model === label)!.change
  return pairs.flatMap(({ models: named, apart, cosine }): Finding[] => {
    const [x, y] = named
    if (apart === 0) return [finding('equal', named, `${x} and ${y} are equal: together they count twice`)]
    const changes = named.map(changeOf)
    if (apart === null || changes.some((change) => change === 0)) return []
    const norm = models.find(({ model }) => model === x)!.norm
    const least = changes.every((change) => change !== null) ? Math.min(...(changes as number[])) : undefined
    const isNear = least === undefined ? apart < NEAR.models : apart * norm < NEAR.changes * least
    return isNear && (cosine ?? 0) > 0
      ? [
          finding(
            'near-duplicate',
            named,
            `${x} and ${y} are nearly equal (apart by ${percent(apart)} of their norm): together they count about twice`,
          ),
        ]
      : []
  })
}

function findForeign({ base, models, pairs }: Found): Finding[] {
  if (base !== null)
    return models
      .filter(({ cosine }) => cosine !== null && cosine < SAME_ORIGIN_COSINE)
      .map(({ model, cosine }) =>
        finding(
          'other-origin',
          [model],
          `${model} was not made from ${base}, as far as weights tell (cosine ${cosine!.toFixed(2)}): its change is no task vector`,
        ),
      )
  return pairs
    .filter(({ cosine }) => cosine !== null && cosine < SAME_ORIGIN_COSINE)
    .map(({ models: named, cosine }) =>
      finding(
        'other-origin',
        named,
        `${named[0]} and ${named[1]} were not made from one model, as far as weights tell (cosine ${cosine!.toFixed(2)}): a mean of them is neither`,
      ),
    )
}

function findUneven({ models }: Found): Finding[] {
  return models.flatMap(({ model, change }): Finding[] => {
    const others = models.flatMap((other) => (other.model !== model && other.change !== null ? [other.change] : []))
    if (change === null || change === 0 || others.length === 0) return []
    const usual = median(others)
    if (usual === 0) return []
    const times = change / usual
    const text = (word: string) =>
      `${model} changes the base ${Number(times.toPrecision(2))} times as far as ${others.length === 1 ? 'the other' : 'the others'}: ${word}`
    if (times >= OUTLIER) return [finding('dominates', [model], text('with equal weights it decides'))]
    return times <= 1 / OUTLIER && others.length > 1
      ? [finding('hardly-counts', [model], text('with equal weights little of it is left'))]
      : []
  })
}

/** Without a base: a model that is far from all others, which are near one another. */
function findOutliers({ base, models, pairs }: Found): Finding[] {
  if (base !== null || models.length < 3) return []
  return models.flatMap(({ model }): Finding[] => {
    const apart = (isOwn: boolean) =>
      pairs.filter(({ models: named }) => named.includes(model) === isOwn).map((pair) => pair.apart ?? 0)
    const [own, others] = [Math.min(...apart(true)), median(apart(false))]
    return own > 0 && own >= OUTLIER * others
      ? [
          finding(
            'outlier',
            [model],
            `${model} is ${others === 0 ? 'far' : `${Number((own / others).toPrecision(2))} times as far`} from the others as they are from one another`,
          ),
        ]
      : []
  })
}

const findOpposed = ({ pairs }: Found): Finding[] =>
  pairs
    .filter(({ changes }) => changes !== null && (changes.conflicts ?? 0) >= OPPOSED && (changes.cosine ?? 0) < 0)
    .map(({ models: named, changes }) =>
      finding(
        'opposed',
        named,
        `${named[0]} and ${named[1]} change the base in opposite directions in ${percent(changes!.conflicts!)} of the elements (half is chance): ties, or another method that elects a sign, keeps one of them`,
      ),
    )

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
