import { counted } from '@mk/errors'
import { percent } from '../diff/verdict.ts'
import { standardError } from '../measure/gram.ts'
import type { Diagnosis, Finding } from './diagnosis.ts'

/** Of changes to a base: as far apart as this share of the smaller one. Of models without one: of their norm. */
const NEAR = { changes: 0.1, models: 1e-3 }
/** Models that were trained apart have cosines about 0; fine-tunes of one model about 1. */
const SAME_ORIGIN_COSINE = 0.5
/** So many times the median of the others. */
const OUTLIER = 3
/** Half of the signs agree by chance. */
const OPPOSED = 0.55

/** So many standard errors are left between an estimate and a threshold that decides. */
const SAFE_ERRORS = 5

type Found = Pick<Diagnosis, 'base' | 'models' | 'pairs'>

/** Something that would be told where it holds. */
interface Candidate extends Finding {
  readonly holds: boolean
  /** How far the figures are from where it begins to hold; infinite where nothing but 0 is such. */
  readonly margin: number
  /** Whose figures it depends on. */
  readonly dependsOn: readonly string[]
}

/**
 * Finds what stands out: broken, equal and foreign models first, then what weighs too much or too little, then what pulls apart.
 * @param isEstimate whether tensors were read in part, so that numbers are about right, and of NaN no more than what was seen is told
 */
export const findFindings = (found: Found, isEstimate: boolean): Finding[] => [
  ...found.models.flatMap(({ model, nonFinite }): Finding[] =>
    nonFinite === 0
      ? []
      : [
          {
            code: 'not-finite',
            models: [model],
            text: `${model} has ${isEstimate ? 'at least ' : ''}${counted(nonFinite, 'element')} that are infinite or NaN`,
          },
        ],
  ),
  ...listCandidates(found, isEstimate)
    .filter(({ holds }) => holds)
    .map(({ code, models, text }) => ({ code, models, text })),
]

/**
 * Lists the models on whose figures something depends that an estimate leaves open: they are within five standard errors of where it
 * begins, or beginnings, to hold.
 * @param replicates of the same figures
 */
export function listUndecided(found: Found, replicates: readonly Pick<Found, 'models' | 'pairs'>[]): Set<string> {
  const others = replicates.map(
    (each) =>
      new Map(
        listCandidates({ base: found.base, ...each }, true).map((candidate) => [keyOf(candidate), candidate.margin]),
      ),
  )
  return new Set(
    listCandidates(found, true)
      .filter((candidate) => {
        const { margin } = candidate
        const error = standardError(
          margin,
          others.map((margins) => margins.get(keyOf(candidate)) ?? Infinity),
        )
        return Number.isFinite(margin) && error > 0 && Math.abs(margin) < SAFE_ERRORS * error
      })
      .flatMap(({ dependsOn }) => dependsOn),
  )
}

const keyOf = ({ code, models }: Finding): string => JSON.stringify([code, models])

function listCandidates(found: Found, isEstimate: boolean): Candidate[] {
  const about = isEstimate ? 'about ' : ''
  return [
    ...findUnchanged(found),
    ...findDuplicates(found, about),
    ...findForeign(found, about),
    ...findUneven(found, about),
    ...findOutliers(found, about),
    ...findOpposed(found, about),
  ]
}

function findUnchanged({ base, models }: Found): Candidate[] {
  return models
    .filter(({ change }) => change === 0)
    .map(({ model }) => ({
      code: 'as-base',
      models: [model],
      text: `${model} is equal to ${base}: it adds nothing but its weight`,
      holds: true,
      margin: Infinity,
      dependsOn: [model],
    }))
}

function findDuplicates({ models, pairs }: Found, about: string): Candidate[] {
  const changeOf = (label: string) => models.find(({ model }) => model === label)!.change
  return pairs.flatMap(({ models: named, apart, cosine }): Candidate[] => {
    const [x, y] = named
    const pair = { models: named, dependsOn: named }
    if (apart === 0) {
      const text = `${x} and ${y} are equal: together they count twice`
      return [{ ...pair, code: 'equal', text, holds: true, margin: Infinity }]
    }
    const changes = named.map(changeOf)
    if (apart === null || changes.some((change) => change === 0)) return []
    const norm = models.find(({ model }) => model === x)!.norm
    const least = changes.every((change) => change !== null) ? Math.min(...(changes as number[])) : undefined
    const nearer = least === undefined ? NEAR.models - apart : NEAR.changes * least - apart * norm
    const margin = Math.min(nearer, cosine ?? 0)
    const text = `${x} and ${y} are nearly equal (apart by ${about}${percent(apart)} of their norm): together they count about twice`
    return [{ ...pair, code: 'near-duplicate', text, holds: margin > 0, margin }]
  })
}

function findForeign({ base, models, pairs }: Found, about: string): Candidate[] {
  const foreign = (named: readonly string[], cosine: number | null, text: (cosine: string) => string): Candidate[] =>
    cosine === null
      ? []
      : [
          {
            code: 'other-origin',
            models: named,
            text: text(`cosine ${about}${cosine.toFixed(2)}`),
            holds: cosine < SAME_ORIGIN_COSINE,
            margin: SAME_ORIGIN_COSINE - cosine,
            dependsOn: named,
          },
        ]
  return base !== null
    ? models.flatMap(({ model, cosine }) =>
        foreign(
          [model],
          cosine,
          (text) =>
            `${model} was not made from ${base}, as far as weights tell (${text}): its change is no task vector`,
        ),
      )
    : pairs.flatMap(({ models: named, cosine }) =>
        foreign(
          named,
          cosine,
          (text) =>
            `${named[0]} and ${named[1]} were not made from one model, as far as weights tell (${text}): a mean of them is neither`,
        ),
      )
}

function findUneven({ models }: Found, about: string): Candidate[] {
  const all = models.map(({ model }) => model)
  return models.flatMap(({ model, change }): Candidate[] => {
    const others = models.flatMap((other) => (other.model !== model && other.change !== null ? [other.change] : []))
    if (change === null || change === 0 || others.length === 0) return []
    const usual = median(others)
    if (usual === 0) return []
    const times = change / usual
    const text = (word: string) =>
      `${model} changes the base ${about}${Number(times.toPrecision(2))} times as far as ${others.length === 1 ? 'the other' : 'the others'}: ${word}`
    const uneven = (code: 'dominates' | 'hardly-counts', margin: number, word: string): Candidate => ({
      code,
      models: [model],
      text: text(word),
      holds: margin >= 0,
      margin,
      dependsOn: all,
    })
    return [
      uneven('dominates', times - OUTLIER, 'with equal weights it decides'),
      ...(others.length > 1
        ? [uneven('hardly-counts', 1 / OUTLIER - times, 'with equal weights little of it is left')]
        : []),
    ]
  })
}

/** Without a base: a model that is far from all others, which are near one another. */
function findOutliers({ base, models, pairs }: Found, about: string): Candidate[] {
  if (base !== null || models.length < 3) return []
  return models.map(({ model }): Candidate => {
    const apart = (isOwn: boolean) =>
      pairs.filter(({ models: named }) => named.includes(model) === isOwn).map((pair) => pair.apart ?? 0)
    const [own, others] = [Math.min(...apart(true)), median(apart(false))]
    const margin = own - OUTLIER * others
    return {
      code: 'outlier',
      models: [model],
      text: `${model} is ${others === 0 ? 'far' : `${about}${Number((own / others).toPrecision(2))} times as far`} from the others as they are from one another`,
      holds: own > 0 && margin >= 0,
      margin,
      dependsOn: models.map((each) => each.model),
    }
  })
}

const findOpposed = ({ pairs }: Found, about: string): Candidate[] =>
  pairs.flatMap(({ models: named, changes }): Candidate[] => {
    if (changes === null) return []
    const [conflicts, cosine] = [changes.conflicts ?? 0, changes.cosine ?? 0]
    return [
      {
        code: 'opposed',
        models: named,
        text: `${named[0]} and ${named[1]} change the base in opposite directions in ${about}${percent(conflicts)} of the elements (half is chance): ties, or another method that elects a sign, keeps one of them`,
        holds: conflicts >= OPPOSED && cosine < 0,
        margin: Math.min(conflicts - OPPOSED, -cosine),
        dependsOn: named,
      },
    ]
  })

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
