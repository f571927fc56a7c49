import { counted } from '@mk/errors'
import type { Difference } from '../measure/describe-difference.ts'
import type { ModelDiff, TensorDiff, Verdict } from './model-diff.ts'

/** Of bfloat16, half of the distance of two numbers, relative to them. */
const ROUNDING = 2 ** -9
const CLOSE = 0.1
/** Vectors that have nothing in common are apart by √2 of their norms. */
const UNRELATED = 1
const UNRELATED_COSINE = 0.5
const SHOWN = 3

/** Judges a comparison by all tensors together, and finds the tensors that stand out. */
export function judgeDiff(models: ModelDiff['models'], total: Difference, tensors: readonly TensorDiff[]): Verdict {
  const kind = kindOf(total, tensors)
  const relative = total.relative === null ? 'from nothing to something' : percent(total.relative)
  const texts: Record<Verdict['kind'], string> = {
    identical: `${models.a} and ${models.b} have the same tensors with the same elements`,
    equal: `all elements that ${models.a} and ${models.b} both have are equal`,
    rounding: `${models.a} and ${models.b} are equal up to the rounding of their dtypes`,
    close: `${models.b} is close to ${models.a}, as fine-tunes of one model are: it differs by ${relative} of its norm`,
    apart: `${models.b} has changed much against ${models.a}: it differs by ${relative} of its norm`,
    unrelated: `${models.a} and ${models.b} are no more alike than models that were trained apart: they differ by ${relative} of the norm`,
  }
  return { kind, text: texts[kind], notes: [...listLacks(models, tensors), ...listNumbers(models, total, tensors)] }
}

function kindOf(total: Difference, tensors: readonly TensorDiff[]): Verdict['kind'] {
  if (total.changed === 0)
    return tensors.every(({ state, dtype }) => state === 'compared' && dtype.a === dtype.b) ? 'identical' : 'equal'
  const { relative, cosine } = total
  const dtypes = new Set(tensors.flatMap(({ dtype }) => [dtype.a, dtype.b]).filter((dtype) => dtype !== undefined))
  if (relative !== null && relative <= ROUNDING && dtypes.size > 1) return 'rounding'
  if (relative === null || relative >= UNRELATED || (cosine ?? 0) < UNRELATED_COSINE) return 'unrelated'
  return relative <= CLOSE ? 'close' : 'apart'
}

function listLacks(models: ModelDiff['models'], tensors: readonly TensorDiff[]): string[] {
  const named = (all: readonly TensorDiff[]) =>
    `${all
      .slice(0, SHOWN)
      .map(({ name }) => name)
      .join(', ')}${all.length > SHOWN ? `, and ${all.length - SHOWN} more` : ''}`
  const lack = (state: TensorDiff['state'], what: string) => {
    const found = tensors.filter((tensor) => tensor.state === state)
    return found.length === 0 ? [] : [`${counted(found.length, 'tensor')} ${what}: ${named(found)}`]
  }
  const others = tensors.filter(({ state, dtype }) => state === 'compared' && dtype.a !== dtype.b)
  return [
    ...lack('only-a', `of ${models.a} alone`),
    ...lack('only-b', `of ${models.b} alone`),
    ...lack('other-shape', 'of other shapes'),
    ...(others.length === 0 ? [] : [`${counted(others.length, 'tensor')} of other dtypes: ${named(others)}`]),
  ]
}

function listNumbers(models: ModelDiff['models'], total: Difference, tensors: readonly TensorDiff[]): string[] {
  const notes: string[] = []
  const { nonFinite, changes } = total
  for (const [label, count] of [
    [models.a, nonFinite.a],
    [models.b, nonFinite.b],
  ] as const)
    if (count > 0) notes.push(`${counted(count, 'element')} of ${label} are infinite or NaN, and counted as 0`)
  const compared = tensors.filter(({ state }) => state === 'compared')
  const unchanged = compared.filter(({ difference }) => difference!.changed === 0)
  if (total.changed > 0 && unchanged.length > 0)
    notes.push(`${unchanged.length} of ${counted(compared.length, 'tensor')} are equal in every element`)
  const most = compared
    .filter(({ difference }) => (difference!.relative ?? 0) > 0)
    .toSorted((one, other) => other.difference!.relative! - one.difference!.relative!)
    .slice(0, SHOWN)
  if (most.length > 0 && compared.length > 1)
    notes.push(
      `most changed: ${most.map(({ name, difference }) => `${name} by ${percent(difference!.relative!)}`).join(', ')}`,
    )
  if (changes !== undefined && changes.cosine !== null)
    notes.push(
      `of the base, ${models.a} changes ${percent(changes.relativeA ?? 0)} and ${models.b} ${percent(changes.relativeB ?? 0)} of the norm; the two changes have a cosine of ${changes.cosine.toFixed(3)}, opposite signs in ${percent(changes.conflicts ?? 0)} of the elements that both change, and share ${percent(changes.overlap ?? 0)} of their largest ones`,
    )
  return notes
}

/** Gives a share with three significant digits. */
export const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`
