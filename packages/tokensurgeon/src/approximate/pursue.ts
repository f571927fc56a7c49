import { batchRows } from './batch-rows.ts'
import type { Runtime } from '@mk/tensor/runtime'
import type { RowStore } from '../rows/row-store.ts'
import { choose, combinationOf, mostRefused } from './choose.ts'
import { createCorrelator } from './correlate.ts'
import { pursueByGram } from './pursue-by-gram.ts'
import type { Pursuit, PursuitParts } from './pursuit.ts'
import { createSupport, type Support } from './support.ts'

/** Atoms of which targets are made, and how many of them at most. */
export interface Dictionary {
  readonly atoms: RowStore
  readonly k: number
  /** Dot products of all atoms with one another, where they have been computed: correlations then follow from them. */
  readonly gram?: RowStore | undefined
}

/** Elements of chosen rows that are kept at once. */
const chosenElements = 2 ** 24

/** Tells whether computing the Gram matrix first is less work than correlating each residual with all atoms; and it has to fit a disk. */
export function paysGram({ atoms, width, targets, k }: PursuitSizes): boolean {
  const direct = targets * k * atoms * width
  // Elements of correlations are updated from memory, which takes some four times as long as a term of a product.
  const byGram = (atoms * atoms * width) / 2 + targets * atoms * (width + 2 * k * k)
  return 4 * atoms * atoms <= mostGramBytes && byGram < direct
}

interface PursuitSizes {
  readonly atoms: number
  readonly width: number
  readonly targets: number
  readonly k: number
}

const mostGramBytes = 2 ** 34

/**
 * Prepares orthogonal matching pursuit (Pati, Rezaiifar & Krishnaprasad 1993): k times the atom with the largest |⟨residual, atom⟩| is
 * chosen, the lowest of equal ones, and the coefficients of all chosen atoms come nearest to the target again. Atoms are not normalized.
 * An atom in the span of those chosen is passed over, and a target that is reached ends early.
 *
 * Without a Gram matrix the residuals of a batch are multiplied with all atoms for each choice. With one, correlations of a target are
 * brought up to date from the rows of the atoms that it has chosen (Rubinstein, Zibulevsky & Elad 2008, batch OMP), which costs as many
 * terms as there are choices instead of the width. Coefficients are float64 both ways.
 */
export async function preparePursuit(
  runtime: Runtime,
  { atoms, k: most, gram }: Dictionary,
  batchSize = 512,
): Promise<Pursuit> {
  const { rows: count, width } = atoms
  const k = Math.min(most, count)
  const chosenRows = gram === undefined ? Math.floor(chosenElements / (k * width)) : Infinity
  const batch = batchRows(atoms, batchSize, chosenRows)
  const correlator = await createCorrelator(runtime, atoms, batch)
  return {
    batch,
    solve:
      gram === undefined
        ? byResiduals({ atoms, k, batch, correlator })
        : await pursueByGram(runtime, { atoms, k, batch, correlator, gram }),
  }
}

function byResiduals({ atoms, k, batch, correlator }: PursuitParts): Pursuit['solve'] {
  const { width } = atoms
  const supports: Support[] = []
  const residuals = new Float32Array(batch * width)
  return async (targets, count) => {
    residuals.set(targets.subarray(0, count * width))
    const searches = Array.from({ length: count }, (_, index) => {
      const support = (supports[index] ??= createSupport(width, k))
      support.begin(targets.subarray(index * width, (index + 1) * width))
      return { support, refused: new Set<number>() }
    })
    for (let step = 0; step < k; step++) {
      if (searches.every(({ support, refused }) => support.isExact || refused.size > mostRefused)) break
      const correlations = await correlator.correlate(residuals, count)
      searches.forEach(({ support, refused }, index) => {
        const own = correlations.subarray(index * atoms.rows, (index + 1) * atoms.rows)
        if (!choose({ atoms, support, refused, correlations: own })) return
        support.residual(residuals.subarray(index * width, (index + 1) * width))
      })
    }
    return searches.map(({ support }) => combinationOf(support))
  }
}
