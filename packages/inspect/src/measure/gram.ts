import type { StreamedTensors, TensorStreams } from '@mk/merge'
import type { TensorSource } from '@mk/source'
import { count, type Expression, mul, quickSum, type Reduction, sub } from '@mk/tensor'
import { isFinite, maskedInputs, plainInputs } from './masked.ts'
import { countSigns, enlarge } from './signs.ts'

/**
 * What is added up over the elements of several tensors: of the first one, the reference, and of the differences of the others to it,
 * since those are known more exactly than they would follow from products of the tensors themselves.
 */
export interface GramSums {
  readonly elementCount: number
  /** Σ of the products of any two of: reference, difference 1, difference 2, …; a symmetric matrix. */
  readonly products: readonly (readonly number[])[]
  /** For any two differences: the elements in which neither is 0, and of those the ones in which their signs differ; symmetric, in this order. */
  readonly both: readonly (readonly number[])[]
  readonly conflicts: readonly (readonly number[])[]
  /** Elements that are infinite or NaN, by tensor; they count as 0 in all tensors above. */
  readonly nonFinite: readonly number[]
}

/** Measures tensors of one shape against the first of them, in one pass. @param withSigns whether differences are changes of a base, whose signs matter */
export function measureGram(
  streams: TensorStreams,
  {
    sources,
    shape,
    withSigns,
  }: { readonly sources: readonly TensorSource[]; readonly shape: readonly number[]; readonly withSigns: boolean },
): Promise<GramSums> {
  return streams.read({ sources, shape }, async (tensors) => {
    if (tensors.elementCount === 0) return emptyGram(sources.length)
    const found = await reduce(tensors, plainInputs(sources.length), withSigns)
    if (found.products.every((row, index) => Number.isFinite(row[index]))) return found
    const masked = await reduce(tensors, maskedInputs(sources.length), withSigns)
    const counts = Object.fromEntries(
      plainInputs(sources.length).map((value, index) => [index, count(isFinite(value))] as const),
    )
    const finite = await tensors.reduce(counts)
    return { ...masked, nonFinite: sources.map((_, index) => tensors.elementCount - (finite[index] as number)) }
  })
}

async function reduce(
  tensors: StreamedTensors,
  [first, ...others]: readonly Expression[],
  withSigns: boolean,
): Promise<GramSums> {
  const vectors = [first!, ...others.map((other) => sub(other, first!))]
  const size = vectors.length
  const entries: [string, Reduction & { readonly per: 'tensor' }][] = []
  const enlarged = vectors.map(enlarge)
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      entries.push([`product ${i} ${j}`, quickSum(mul(vectors[i]!, vectors[j]!))])
      if (!withSigns || j === 0 || i === j) continue
      const { equal, opposite } = countSigns(enlarged[i]!, enlarged[j]!)
      entries.push([`equal ${i} ${j}`, equal], [`opposite ${i} ${j}`, opposite])
    }
  const found = await tensors.reduce(Object.fromEntries(entries))
  const matrix = (...kinds: readonly string[]) =>
    vectors.map((_, i) =>
      vectors.map((__, j) =>
        kinds.reduce((total, kind) => total + (found[`${kind} ${Math.max(i, j)} ${Math.min(i, j)}`] ?? 0), 0),
      ),
    )
  return {
    elementCount: tensors.elementCount,
    products: matrix('product'),
    both: matrix('equal', 'opposite'),
    conflicts: matrix('opposite'),
    nonFinite: vectors.map(() => 0),
  }
}

/** Sums over nothing. @param size the number of tensors */
function emptyGram(size: number): GramSums {
  const row = () => Array.from({ length: size }, () => 0)
  const zeros = () => Array.from({ length: size }, row)
  return {
    elementCount: 0,
    products: zeros(),
    both: zeros(),
    conflicts: zeros(),
    nonFinite: row(),
  }
}
